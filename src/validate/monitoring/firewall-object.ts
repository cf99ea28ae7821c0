import type { FirewallChain, FirewallFamily } from '../network/firewall/chain.ts'
import type {
  FirewallCounter,
  FirewallExpectation,
  FirewallHelper,
  FirewallNamedLimit,
  FirewallNamedQuota,
  FirewallNamedSynproxy,
  FirewallSecmark,
  FirewallTimeout,
} from '../network/firewall/objects.ts'
import type { FirewallElement, FirewallKey, FirewallSet } from '../network/firewall/set.ts'
import type { FirewallRule } from '../network/firewall/statement.ts'

/** What an object of a table has, beside the name of the table. */
interface InTable {
  family: FirewallFamily
  table: string
}

/** An object of the packet filter, in the events of `network.watch('firewall')`. */
export type FirewallObject =
  | { kind: 'table'; family: FirewallFamily; name: string; dormant?: boolean; comment?: string }
  | (InTable & { kind: 'chain'; name: string; chain: Omit<FirewallChain, 'rules'> })
  /** `handle` tells rules of a chain apart, as `nft -a` shows it. */
  | (InTable & { kind: 'rule'; chain: string; handle: number; rule: FirewallRule })
  | (InTable & { kind: 'set'; name: string; set: Omit<FirewallSet, 'elements'> })
  | (InTable & { kind: 'element'; set: string; element: FirewallKey | FirewallElement })
  | (InTable & { kind: 'counter'; name: string; counter: FirewallCounter })
  | (InTable & { kind: 'quota'; name: string; quota: FirewallNamedQuota })
  | (InTable & { kind: 'limit'; name: string; limit: FirewallNamedLimit })
  | (InTable & { kind: 'helper'; name: string; helper: FirewallHelper })
  | (InTable & { kind: 'timeout'; name: string; timeout: FirewallTimeout })
  | (InTable & { kind: 'expectation'; name: string; expectation: FirewallExpectation })
  | (InTable & { kind: 'synproxy'; name: string; synproxy: FirewallNamedSynproxy })
  | (InTable & { kind: 'secmark'; name: string; secmark: FirewallSecmark })
  /** A batch has been carried out, by the thread `pid` of `program`. Only in events of the type `'change'`. */
  | { kind: 'generation'; id: number; pid?: number; program?: string }
