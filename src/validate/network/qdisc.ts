import { invalidValue } from '../../errors.ts'
import { type Fields, type FieldsOf, type Parse, type Plain, parseFields, parseObject } from '../fields.ts'
import { boolean, described, u16, u32, whole } from '../values.ts'
import { milliseconds, octets, percentage, rate, text } from './values.ts'

/** What netem, network emulation, does to packets on their way: tc-netem(8). */
export interface NetemData {
  /** Milliseconds by which a packet leaves later. */
  latency?: number | undefined
  /** Milliseconds that the latency of a packet may be off, in either direction. */
  jitter?: number | undefined
  /** Percent of the packets that are lost. */
  loss?: number | undefined
  /** Percent that are sent twice. */
  duplicate?: number | undefined
  /** Percent that have one bit wrong. */
  corrupt?: number | undefined
  /** Percent that leave at once, before those that are delayed. Needs a `latency`. */
  reorder?: number | undefined
  /** Bit/s. */
  rate?: number | undefined
  /** How many packets may wait. Default: 1000. */
  limit?: number | undefined
}

/** How a token bucket keeps packets to a rate: tc-tbf(8). */
export interface TbfData {
  /** Bit/s. */
  rate: number
  /**
   * Bytes that may leave at once after a pause; a packet that is larger never leaves. By default what the rate carries in
   * 10 ms, and at least two packets as large as the MTU that the link has then.
   */
  burst?: number | undefined
  /** Milliseconds that a packet may wait. Default: 50. Not with `limit`. */
  latency?: number | undefined
  /** Bytes that may wait. */
  limit?: number | undefined
}

/** How fair queueing with controlled delay works: tc-fq_codel(8). The kernel's values by default. */
export interface FqCodelData {
  /** How many packets may wait. */
  limit?: number | undefined
  /** Milliseconds that a packet may wait for good. */
  target?: number | undefined
  /** Milliseconds that packets may wait longer than that before some are dropped. */
  interval?: number | undefined
  /** How many queues there are; it cannot be changed later. */
  flows?: number | undefined
  /** Bytes that a queue sends when it is its turn. */
  quantum?: number | undefined
  /** Whether packets are marked, and not dropped, where they can be. */
  ecn?: boolean | undefined
  /** Bytes that may wait. */
  memoryLimit?: number | undefined
}

/** The root of hierarchical token buckets: tc-htb(8). */
export interface HtbData {
  /** The minor number of the class for what no filter chose one for; 0 for none: such packets leave at once. */
  defaultClass?: number | undefined
}

/** The kinds of queueing discipline, and what is special about each. */
export interface QdiscData {
  fq_codel: FqCodelData
  htb: HtbData
  netem: NetemData
  /** One that is known here by its name only. */
  other: {
    /** The kernel's name of the kind: `'pfifo'`, `'clsact'`. */
    type: string
    /** Its options, as the kernel has them, in hexadecimal digits. */
    options?: string | undefined
  }
  tbf: TbfData
}

/** A kind of queueing discipline. */
export type QdiscKind = keyof QdiscData

/** What a queueing discipline has done. */
export interface QdiscStatistics {
  bytes: number
  packets: number
  /** Packets that wait. */
  queued: number
  /** Bytes that wait. */
  backlog: number
  dropped: number
  /** How often a packet had to wait because of a limit. */
  overLimits: number
  requeued: number
}

/** What every queueing discipline has. */
export interface QdiscBase {
  link: { index: number }
  /** `'8001:'` */
  handle: string
  /** Where it is: `'root'`, or a class of another one. */
  parent: string
  statistics: QdiscStatistics
}

/** A queueing discipline, told apart by its `kind`. */
export type Qdisc = { [K in QdiscKind]: QdiscBase & QdiscData[K] & { kind: K } }[QdiscKind]

/** Where a queueing discipline is to be. */
export interface QdiscPlace {
  /**
   * `'root'` by default, or a class: `'1:10'`, in hexadecimal digits. That of what arrives, of type `ingress` or `clsact`, has
   * one place, `'ingress'`, which is `'ffff:fff1'`.
   */
  parent?: string | undefined
  /** Its own number, `'1:'`; by default the kernel finds one. */
  handle?: string | undefined
}

/** Options of {@link NetworkQdiscs.delete}. A {@link Qdisc} of a list says which one it is, too. */
export interface DeleteQdiscOptions {
  /** Where it is: `'root'` by default, `'ingress'`, or a class: `'1:10'`. */
  parent?: string | undefined
  /** Its own number; any by default. */
  handle?: string | undefined
  /** Its kind; any by default. */
  kind?: QdiscKind | undefined
}

/** A queueing discipline that is to be, told apart by its `kind`. */
export type QdiscSpec = { [K in QdiscKind]: QdiscPlace & QdiscData[K] & { kind: K } }[QdiscKind]

const QDISC_KINDS: { readonly [K in QdiscKind]: FieldsOf<QdiscData[K]> } = {
  fq_codel: {
    limit: u32,
    target: milliseconds,
    interval: milliseconds,
    flows: u32,
    quantum: u32,
    ecn: boolean,
    memoryLimit: u32,
  },
  htb: { defaultClass: u16 },
  netem: {
    latency: milliseconds,
    jitter: milliseconds,
    loss: percentage,
    duplicate: percentage,
    corrupt: percentage,
    reorder: percentage,
    rate,
    limit: u32,
  },
  other: { type: text, options: octets },
  tbf: { rate, burst: whole(1, 0xffffffff), latency: milliseconds, limit: whole(1, 0xffffffff) },
}

const REQUIRED: { readonly [K in QdiscKind]?: readonly string[] } = { other: ['type'], tbf: ['rate'] }

const KINDS = Object.keys(QDISC_KINDS) as QdiscKind[]

const kind: Parse<QdiscKind> = (value, name) => {
  if (KINDS.includes(value as QdiscKind)) return value as QdiscKind
  throw invalidValue(name, `must be a kind of queueing discipline: ${KINDS.join(', ')}`, value)
}

/** @internal */
export const handle: Parse<string> = (value, name) => {
  const given = text(value, name)
  if (given === 'root' || given === 'ingress' || given === 'clsact' || /^[0-9a-f]{0,4}:[0-9a-f]{0,4}$/i.test(given))
    return given
  throw invalidValue(name, "must be 'root', 'ingress', or a handle as '1:' or '1:10'", value)
}

const PLACE = { kind, parent: handle, handle, link: described, statistics: described } satisfies FieldsOf<
  QdiscPlace & QdiscBase & { kind: QdiscKind }
>

/** @internal */
export function parseQdisc(spec: unknown, name: string): Plain {
  const of = kind(parseObject(spec, name)['kind'], `${name}.kind`)
  const fields: Fields = { ...PLACE, ...QDISC_KINDS[of] }
  const parsed = parseFields(spec, name, fields, REQUIRED[of])
  if (of === 'tbf' && parsed['latency'] !== undefined && parsed['limit'] !== undefined) {
    throw invalidValue(`${name}.limit`, "is another way to say 'latency': give one of them", parsed['limit'])
  }
  return parsed
}

/** @internal What says which queueing discipline goes: a place, and as much as is known of what is there. */
export function parseQdiscPlace(value: unknown, name: string): Plain {
  const given = parseObject(value, name)
  const of = given['kind'] === undefined ? undefined : kind(given['kind'], `${name}.kind`)
  const rest = Object.fromEntries(Object.keys(of === undefined ? {} : QDISC_KINDS[of]).map((key) => [key, described]))
  const fields: Fields = { ...PLACE, ...rest, type: text }
  const parsed = parseFields(value, name, fields)
  const type = of === 'other' ? parsed['type'] : of
  return { parent: parsed['parent'] ?? 'root', handle: parsed['handle'] ?? ':', type }
}
