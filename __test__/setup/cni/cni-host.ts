/** A host whose containers examples/cni-plugin.ts connects: all of it in namespaces, as root and as an ordinary user. */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { NamespaceSet } from 'nsset'
import { isVm } from '../oracles/iproute.ts'
import { bundle } from '../package/bundle.ts'
import { bundledApp } from '../package/bundled-app.ts'
import type { TemporaryDirectory } from '../sets/temporary-directory.ts'

const TIME_LIMIT = isVm ? 90_000 : 40_000

export const SUBNETS = ['10.88.0.0/24', 'fd00:88::/64']
/** What the host has outside, and a server beyond it. */
export const OUTSIDE = { host: '192.0.2.1', world: '192.0.2.2' }

export interface Container {
  id: string
  set: NamespaceSet
  /** The path of its network. */
  netns: string
  /** Ends it, and its network with it. */
  end(): Promise<void>
}

/** What the plugin wrote to standard output, and its exit code. */
export interface Answer {
  value: Record<string, unknown> & { ips?: { address: string; gateway: string }[] }
  code: number | null
}

export interface CniHost extends AsyncDisposable {
  set: NamespaceSet
  /** Another network, which has no route to the containers. */
  world: NamespaceSet
  directory: TemporaryDirectory
  configuration: Record<string, unknown>
  container(id: string): Promise<Container>
  /** Runs the plugin as a runtime does. */
  run(command: string, container?: Partial<Container>, changes?: object, environment?: object): Promise<Answer>
  /** Starts it, and does not wait. */
  start(command: string, container: Container): ChildProcess
  /** The directory with the plugin, which is called `nsset`. */
  plugins: string
}

export async function cniHost(): Promise<CniHost> {
  const { directory } = bundledApp()
  chmodSync(directory.path, 0o755)
  // /var/lib/cni is where cnitool keeps what it knows of attachments.
  const mounts = [{ type: 'tmpfs', target: '/var' } as const]
  const set = await NamespaceSet.unshare(['user', 'net', 'mnt'], { mapUser: 'root', loopback: true, mounts })
  const world = await set.unshare('net', { loopback: true })
  const peer = { set: world, name: 'eth0', up: true, addresses: [`${OUTSIDE.world}/24`] }
  await set.network.links.add({ kind: 'veth', name: 'eth0', up: true, addresses: [`${OUTSIDE.host}/24`], peer })
  const containers: Container[] = []

  const configuration = {
    ...{ cniVersion: '1.1.0', name: 'lab', type: 'nsset', bridge: 'cni0', subnets: SUBNETS, ipMasq: true },
    dataDir: directory.file('pool'),
  }
  const plugins = directory.file('plugins')
  mkdirSync(plugins)
  installPlugin(directory, `${plugins}/nsset`)

  const environmentOf = (command: string, { id, netns }: Partial<Container>, environment: object) => ({
    ...{ PATH: process.env['PATH'], CNI_COMMAND: command, CNI_PATH: plugins, CNI_IFNAME: 'eth0' },
    ...(id === undefined ? {} : { CNI_CONTAINERID: id }),
    ...(netns === undefined ? {} : { CNI_NETNS: netns }),
    ...environment,
  })

  return {
    ...{ set, world, directory, configuration, plugins },
    async container(id) {
      const inside = await set.unshare('net', { loopback: true })
      const child = inside.spawn('sh', ['-c', 'echo ready; exec sleep 1000'], { stdio: ['ignore', 'pipe', 'ignore'] })
      await once(child.stdout, 'data')
      const end = async () => {
        inside.close()
        if (child.exitCode !== null || child.signalCode !== null) return
        child.kill('SIGKILL')
        await once(child, 'exit')
      }
      const container = { id, set: inside, netns: `/proc/${child.pid}/ns/net`, end }
      containers.push(container)
      return container
    },
    async run(command, container = {}, changes = {}, environment = {}) {
      const env = environmentOf(command, container, environment) as NodeJS.ProcessEnv
      const input = typeof changes === 'string' ? changes : JSON.stringify({ ...configuration, ...changes })
      const options = { env, input, reject: false, timeout: TIME_LIMIT } as const
      const { stdout, stderr, exitCode } = await set.execFile(`${plugins}/nsset`, [], options)
      if (stderr !== '') throw new Error(`the plugin wrote to standard error: ${stderr}`)
      return { value: stdout === '' ? {} : JSON.parse(stdout), code: exitCode }
    },
    start(command, container) {
      const env = environmentOf(command, container, {}) as NodeJS.ProcessEnv
      const child = set.spawn(`${plugins}/nsset`, [], { env, stdio: ['pipe', 'ignore', 'ignore'] })
      child.stdin.end(JSON.stringify(configuration))
      return child
    },
    async [Symbol.asyncDispose]() {
      for (const container of containers) await container.end()
      world.close()
      await set[Symbol.asyncDispose]()
      directory[Symbol.dispose]()
    },
  }
}

/** Bundled, since it starts a hundred times. */
function installPlugin(directory: TemporaryDirectory, script: string): void {
  const outfile = directory.file('cni-plugin.mjs')
  bundle('examples/cni-plugin.ts', outfile)
  writeFileSync(script, `#!/bin/sh\nexec '${process.execPath}' '${outfile}'\n`, { mode: 0o755 })
}
