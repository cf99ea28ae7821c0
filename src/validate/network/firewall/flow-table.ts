import { array, type FieldsOf, type Plain, parseFields } from '../../fields.ts'
import { boolean, word } from '../../values.ts'
import { linkName } from '../values.ts'
import { type FirewallPriority, priorityOf } from './chain.ts'
import { byName } from './matching/names.ts'

/**
 * A table of connections that bypass the rules: the kernel forwards their packets from one of these links to another as soon as they
 * arrive. Rules add connections by `{ 'flow add': '@name' }`, in a chain of the hook `'forward'`.
 */
export interface FirewallFlowTable {
  /** Default: `'ingress'`. */
  hook?: 'ingress' | undefined
  /** Flow tables of a link with lower priorities come first. Default: `'filter'`. */
  priority?: number | FirewallPriority | undefined
  /** The names of the links. */
  devices?: readonly string[] | undefined
  /** Whether packets that bypass the rules are counted in connection tracking. Default: `false`. */
  counter?: boolean | undefined
  /** Whether the hardware of the links forwards the packets (`flags offload`). Default: `false`. */
  offload?: boolean | undefined
}

const FLOW_TABLE = {
  hook: word('ingress'),
  priority: (value, name) => priorityOf(value, name, 'inet'),
  devices: array(linkName),
  counter: boolean,
  offload: boolean,
} satisfies FieldsOf<FirewallFlowTable>

const DEFAULTS = { hook: 'ingress', priority: 'filter' } as const

/** @internal */
export const flowTables = byName<Plain>((value, name) => ({ ...DEFAULTS, ...parseFields(value, name, FLOW_TABLE) }))
