/**
 * A CNI plugin (https://www.cni.dev/docs/spec/, 1.1.0). It connects containers to a bridge, gives them addresses from a pool on the
 * disk, lets them out with the address of the host, and publishes their ports. It starts no program.
 *
 * In the directory of plugins, it is a script:
 *
 *     #!/bin/sh
 *     exec node --import tsx /opt/nsset/examples/cni-plugin.ts
 *
 * The configuration of a network, for nerdctl, podman, CRI-O, or cnitool:
 *
 *     { "cniVersion": "1.1.0", "name": "lab", "plugins": [{ "type": "nsset", "bridge": "cni0", "ipMasq": true,
 *       "subnets": ["10.88.0.0/24", "fd00:88::/64"], "capabilities": { "portMappings": true } }] }
 */
import { readFileSync } from 'node:fs'
import { NamespaceError, NamespaceSet } from 'nsset'
import { add, collectGarbage, remove } from './cni-plugin/attachment.ts'
import { check } from './cni-plugin/check.ts'
import { type Configuration, parseConfiguration, VERSIONS } from './cni-plugin/configuration.ts'
import { variables } from './cni-plugin/environment.ts'
import { CniError, CODES } from './cni-plugin/errors.ts'

/** These can succeed a little later. */
const PASSING = ['EAGAIN', 'EBUSY', 'ENOBUFS', 'ETIMEDOUT']

let given: Partial<Configuration> = {}

const COMMANDS: Record<string, () => unknown> = {
  VERSION: () => ({ cniVersion: given.cniVersion ?? VERSIONS.at(-1), supportedVersions: VERSIONS }),

  ADD() {
    const { CNI_CONTAINERID, CNI_IFNAME, CNI_NETNS } = variables('CNI_CONTAINERID', 'CNI_IFNAME', 'CNI_NETNS')
    const configuration = parseConfiguration(given)
    using container = openNetwork(CNI_NETNS)
    const attachment = { configuration, containerId: CNI_CONTAINERID, ifname: CNI_IFNAME }
    return { cniVersion: configuration.cniVersion, ...add(attachment, container, CNI_NETNS) }
  },

  CHECK() {
    const { CNI_CONTAINERID, CNI_IFNAME, CNI_NETNS } = variables('CNI_CONTAINERID', 'CNI_IFNAME', 'CNI_NETNS')
    const configuration = parseConfiguration(given)
    using container = openNetwork(CNI_NETNS)
    check({ configuration, containerId: CNI_CONTAINERID, ifname: CNI_IFNAME }, container)
  },

  // A runtime repeats DEL until it succeeds, also when the network of the container is gone: it needs nothing of it.
  DEL() {
    const { CNI_CONTAINERID, CNI_IFNAME } = variables('CNI_CONTAINERID', 'CNI_IFNAME')
    remove({ configuration: parseConfiguration(given), containerId: CNI_CONTAINERID, ifname: CNI_IFNAME })
  },

  GC: () => collectGarbage(parseConfiguration(given)),

  STATUS() {
    const { pool, subnets } = parseConfiguration(given)
    using host = NamespaceSet.current('net')
    try {
      // The kernel lists tables only for those who may change them.
      host.network.sync.firewall.list()
      pool.requireFree(subnets)
    } catch (error) {
      throw new CniError(CODES.notAvailable, 'ADD would fail', (error as Error).message)
    }
  },
}

function openNetwork(path: string): NamespaceSet {
  using host = NamespaceSet.current('net')
  const container = openPath(path)
  if (!container.equals(host, 'net')) return container
  container.close()
  throw new CniError(CODES.invalidEnvironment, 'CNI_NETNS is the network of the host')
}

function openPath(path: string): NamespaceSet {
  try {
    return NamespaceSet.fromPath(path, 'net')
  } catch (error) {
    throw new CniError(CODES.unknownContainer, 'CNI_NETNS is not a network', (error as Error).message)
  }
}

function readInput(): Partial<Configuration> {
  const text = readFileSync(0, 'utf8')
  let read: unknown
  try {
    read = JSON.parse(text)
  } catch (error) {
    throw new CniError(CODES.undecodable, 'the configuration is not JSON', (error as Error).message)
  }
  if (typeof read === 'object' && read !== null && !Array.isArray(read)) return read
  throw new CniError(CODES.undecodable, 'the configuration is not an object')
}

/** The result of a failure, as the specification has it. */
function failure(error: unknown) {
  const { cniVersion = VERSIONS.at(-1) } = given
  if (error instanceof CniError) return { cniVersion, code: error.code, msg: error.message, details: error.details }
  const passing = error instanceof NamespaceError && PASSING.includes(String(error.code))
  return { cniVersion, code: passing ? CODES.tryAgainLater : CODES.io, msg: (error as Error).message }
}

try {
  const { CNI_COMMAND = '' } = process.env
  const command = Object.hasOwn(COMMANDS, CNI_COMMAND) ? COMMANDS[CNI_COMMAND] : undefined
  if (command === undefined) {
    throw new CniError(CODES.invalidEnvironment, `CNI_COMMAND must be one of ${Object.keys(COMMANDS).join(', ')}`)
  }
  given = readInput()
  const result = command()
  if (result !== undefined) console.log(JSON.stringify(result))
} catch (error) {
  console.log(JSON.stringify(failure(error)))
  process.exitCode = 1
}
