import { join } from 'node:path'
import { AddressPool } from './address-pool.ts'
import { CniError, CODES } from './errors.ts'
import { Subnet } from './subnet.ts'

export const VERSIONS = ['1.0.0', '1.1.0']

/** What a runtime gives to the plugin. */
export interface Configuration {
  cniVersion: string
  name: string
  /** The name of the bridge, which is created if it does not exist. */
  bridge: string
  subnets: readonly string[]
  mtu?: number
  /** Whether containers leave with the address of the host. */
  ipMasq?: boolean
  dns?: unknown
  /** Where the addresses are reserved. Default: `/run/cni-nsset`, since a reboot ends the containers too. */
  dataDir?: string
  runtimeConfig?: { portMappings?: readonly PortMapping[] }
  prevResult?: PreviousResult
  'cni.dev/valid-attachments'?: readonly { containerID: string; ifname: string }[]
}

export interface PortMapping {
  hostPort: number
  containerPort: number
  protocol?: string
  hostIP?: string
}

/** What ADD returned. */
export interface PreviousResult {
  interfaces?: readonly { name: string; mac?: string; sandbox?: string }[]
  ips?: readonly { address: string; gateway?: string; interface?: number }[]
}

/** A configuration that was checked. */
export interface Network extends Omit<Configuration, 'subnets'> {
  subnets: readonly Subnet[]
  ports: readonly PortMapping[]
  pool: AddressPool
}

const FIELDS = new Set([
  ...['cniVersion', 'name', 'type', 'bridge', 'subnets', 'mtu', 'ipMasq', 'dns', 'dataDir'],
  ...['args', 'capabilities', 'runtimeConfig', 'prevResult'],
])

export function parseConfiguration(given: Partial<Configuration>): Network {
  const { cniVersion = '0.1.0', name = '', bridge = '', subnets = [], dataDir = '/run/cni-nsset' } = given
  if (!VERSIONS.includes(cniVersion)) {
    throw new CniError(CODES.incompatibleVersion, `cniVersion ${cniVersion} is not one of ${VERSIONS.join(', ')}`)
  }
  for (const [key, value] of Object.entries(given)) {
    if (FIELDS.has(key) || key.startsWith('cni.dev/')) continue
    throw new CniError(CODES.unsupportedField, `unsupported field ${key}: ${JSON.stringify(value)}`)
  }
  requireValid('name', typeof name === 'string' && /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(name))
  requireValid('bridge', typeof bridge === 'string' && /^(?!\.{1,2}$)[^\s/:]{1,15}$/.test(bridge))
  requireValid('subnets', Array.isArray(subnets) && subnets.length > 0)
  requireValid('mtu', given.mtu === undefined || (Number.isInteger(given.mtu) && given.mtu >= 68))
  const parsed = subnets.map((subnet) => new Subnet(subnet))
  // A container has one address and one default route of each family.
  requireValid('subnets', new Set(parsed.map(({ family }) => family)).size === parsed.length)
  const mappings = given.runtimeConfig?.portMappings ?? []
  requireValid('portMappings', Array.isArray(mappings))
  const pool = new AddressPool(join(dataDir, name))
  return {
    ...{ ...given, cniVersion, name, bridge, pool },
    subnets: parsed,
    ports: mappings.map(parsePort),
  }
}

function parsePort(mapping: PortMapping): PortMapping {
  requireValid('portMappings', typeof mapping === 'object' && mapping !== null)
  const { hostPort, containerPort, protocol = 'tcp' } = mapping
  const isPort = (port: number) => Number.isInteger(port) && port >= 1 && port <= 65_535
  requireValid('portMappings', isPort(hostPort) && isPort(containerPort))
  if (protocol !== 'tcp' && protocol !== 'udp') {
    throw new CniError(CODES.unsupportedField, `unsupported field protocol: ${JSON.stringify(protocol)}`)
  }
  return mapping
}

function requireValid(field: string, valid: boolean): void {
  if (!valid) throw new CniError(CODES.invalidConfiguration, `${field} is missing or invalid`)
}
