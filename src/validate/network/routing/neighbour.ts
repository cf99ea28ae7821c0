import { invalidValue } from '../../../errors.ts'
import { type FieldsOf, type Parse, type Plain, parseFields } from '../../fields.ts'
import { boolean, described, u8, u16, word } from '../../values.ts'
import { family, familyOf, hardwareAddress, ip } from '../values.ts'

/**
 * What the kernel knows of a neighbour's hardware address: `NUD_*` of linux/neighbour.h. `'permanent'` and `'noarp'` stay;
 * `'reachable'`, `'stale'`, `'delay'`, `'probe'`, `'incomplete'` and `'failed'` follow each other; `'none'` is that of a proxy.
 */
export type NeighbourState =
  | 'none'
  | 'incomplete'
  | 'reachable'
  | 'stale'
  | 'delay'
  | 'probe'
  | 'failed'
  | 'noarp'
  | 'permanent'
  | number

/** Times in milliseconds, and counters, of a neighbour. */
export interface NeighbourStatistics {
  /** Time since its hardware address was last confirmed. */
  confirmed: number
  /** Time since a packet was last sent to it. */
  used: number
  /** Time since its state last changed. */
  updated: number
  /** How many requests for its hardware address have not been answered. */
  probes: number
}

/** A neighbour of a link, as in a list. */
export interface Neighbour {
  link: { index: number }
  /** Its IP address. */
  address: string
  family: 'IPv4' | 'IPv6'
  /** Its hardware address, if it is known. On a tunnel it can be shorter or longer than six bytes. */
  mac?: string
  state: NeighbourState
  /** This host answers requests for the address on the link (proxy ARP or proxy NDP). */
  proxy?: boolean
  /** IPv6: it is a router. */
  router?: boolean
  /** A program has learned it, so the kernel does not remove it (`extern_learn`). */
  externallyLearned?: boolean
  /** The kernel keeps its hardware address up to date although no packet is sent. */
  managed?: boolean
  /** What added it (rtnetlink(7)). */
  protocol?: number
  statistics: NeighbourStatistics
}

/** A neighbour to add, replace or delete. It can be a {@link Neighbour} of a list. */
export interface NeighbourSpec {
  /** Its IP address. */
  address: string
  family?: 'IPv4' | 'IPv6' | undefined
  /** Its hardware address (`lladdr`). */
  mac?: string | undefined
  /** Default: `'permanent'`. */
  state?: NeighbourState | undefined
  /**
   * Make this host answer requests for the address on the link. A proxy stays when the link loses its carrier, as that of
   * `ip neighbour add proxy` does. Default: `false`.
   */
  proxy?: boolean | undefined
  /** IPv6: it is a router. Default: `false`. */
  router?: boolean | undefined
  /** Keep the kernel from removing it (`extern_learn`). Default: `false`. */
  externallyLearned?: boolean | undefined
  /** Make the kernel keep its hardware address up to date. Default: `false`. */
  managed?: boolean | undefined
  /** What adds it, 0 to 255. */
  protocol?: number | undefined
}

const stateWord = word('none', 'incomplete', 'reachable', 'stale', 'delay', 'probe', 'failed', 'noarp', 'permanent')

const state: Parse<NeighbourState> = (value, name) =>
  typeof value === 'number' ? u16(value, name) : stateWord(value, name)

const NEIGHBOUR = {
  address: ip,
  family,
  mac: hardwareAddress,
  state,
  proxy: boolean,
  router: boolean,
  externallyLearned: boolean,
  managed: boolean,
  protocol: u8,
  link: described,
  statistics: described,
} satisfies FieldsOf<NeighbourSpec | Neighbour>

/** @internal */
export function parseNeighbour(spec: unknown, name: string): Plain {
  const { family, ...parsed } = parseFields(spec, name, NEIGHBOUR, ['address'])
  if (family !== undefined && family !== (familyOf(parsed.address) === 6 ? 'IPv6' : 'IPv4')) {
    throw invalidValue(`${name}.family`, `must be the family of the address, ${parsed.address}`, family)
  }
  return parsed
}
