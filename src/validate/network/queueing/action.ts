import { invalidValue } from '../../../errors.ts'
import { type Fields, type FieldsOf, type Parse, type Plain, parseFields, parseObject } from '../../fields.ts'
import { meant } from '../../nearest.ts'
import { described, u16, u32, whole, word } from '../../values.ts'
import { type LinkRef, parseLinkRef } from '../link-ref.ts'
import { octets, rate, text } from '../values.ts'
import type { QdiscStatistics } from './qdisc-statistics.ts'

/**
 * What follows an action, with the words of tc-actions(8). A number is one of `TC_ACT_*` of linux/pkt_cls.h.
 *
 * `'pass'`: the packet goes on; `'drop'`: it is dropped; `'pipe'`: the next action follows; `'continue'`: the next filter;
 * `'reclassify'`: all filters again; `'stolen'`: the packet is consumed.
 */
export type Verdict = 'pass' | 'drop' | 'pipe' | 'continue' | 'reclassify' | 'stolen' | number

/** The kinds of action of a filter, and the options of each: tc-actions(8). */
export interface FilterActionData {
  /** Sends the packet, or a copy, to another link: tc-mirred(8). */
  mirred: {
    /** The other link. */
    dev: LinkRef
    /** `'redirect'`: the packet itself; `'mirror'`: a copy. */
    mode: 'redirect' | 'mirror'
    /** `'egress'`: it leaves through the link; `'ingress'`: it arrives through it. Default: `'egress'`. */
    direction?: 'egress' | 'ingress' | undefined
    /** Default: `'stolen'` for `'redirect'`, `'pipe'` for `'mirror'`. */
    verdict?: Verdict | undefined
  }
  /** Decides, and does nothing else: tc-gact(8). */
  gact: { verdict: Verdict }
  /** Decides by the rate: tc-police(8). */
  police: {
    /** In bit/s. */
    rate: number
    /** In bytes: how much can pass at once after a pause. */
    burst: number
    /** The largest packet in bytes. Default: any. */
    mtu?: number | undefined
    /** For packets above the rate. Default: `'drop'`. */
    exceed?: Verdict | undefined
    /** For the others. Default: `'pipe'`. */
    conform?: Verdict | undefined
  }
  /** Sets properties of the packet inside this host: tc-skbedit(8). */
  skbedit: {
    mark?: number | undefined
    /** The priority of the socket, or a class such as `0x10010` for `1:10`. */
    priority?: number | undefined
    /** The transmit queue. */
    queue?: number | undefined
    /** Default: `'pipe'`. */
    verdict?: Verdict | undefined
  }
  /** An action whose kind nsset knows only by its name. */
  other: {
    /** The kernel's name of the kind, such as `'vlan'` or `'pedit'`. */
    type: string
    /** The kernel's attributes of its options, in hexadecimal digits. */
    options?: string | undefined
  }
}

/** A kind of action. */
export type FilterActionKind = keyof FilterActionData

/** An action of a filter in a list. `kind` tells them apart. A `dev` is `{ index }`. */
export type FilterAction = {
  [K in FilterActionKind]: FilterActionData[K] & { kind: K; statistics?: QdiscStatistics | undefined }
}[FilterActionKind]

const verdictWord = word('pass', 'drop', 'pipe', 'continue', 'reclassify', 'stolen')

const verdict: Parse<Verdict> = (value, name) =>
  typeof value === 'number' ? whole(-1, 0x7fffffff)(value, name) : verdictWord(value, name)

const ACTION_KINDS: { readonly [K in FilterActionKind]: FieldsOf<FilterActionData[K]> } = {
  mirred: {
    dev: parseLinkRef,
    mode: word('redirect', 'mirror'),
    direction: word('egress', 'ingress'),
    verdict,
  },
  gact: { verdict },
  police: { rate, burst: whole(1, 0xffffffff), mtu: u32, exceed: verdict, conform: verdict },
  skbedit: { mark: u32, priority: u32, queue: u16, verdict },
  other: { type: text, options: octets },
}

const REQUIRED: { readonly [K in FilterActionKind]: readonly string[] } = {
  mirred: ['dev', 'mode'],
  gact: ['verdict'],
  police: ['rate', 'burst'],
  skbedit: [],
  other: ['type'],
}

const KINDS = Object.keys(ACTION_KINDS) as FilterActionKind[]

const kind: Parse<FilterActionKind> = (value, name) => {
  if (KINDS.includes(value as FilterActionKind)) return value as FilterActionKind
  throw invalidValue(name, `must be a kind of action: ${KINDS.join(', ')}${meant(value, KINDS)}`, value)
}

/** @internal */
export const filterAction: Parse<Plain> = (value, name) => {
  const of = kind(parseObject(value, name)['kind'], `${name}.kind`)
  const fields: Fields = { kind, ...ACTION_KINDS[of], statistics: described }
  return parseFields(value, name, fields, REQUIRED[of])
}
