import { invalidValue } from '../../../errors.ts'
import { type Fields, type FieldsOf, type Parse, type Plain, parseFields, parseObject } from '../../fields.ts'
import { described, u16, u32, whole } from '../../values.ts'
import { milliseconds, octets, rate, text } from '../values.ts'
import { CAKE, type CakeData, FQ, FQ_CODEL, type FqCodelData, type FqData, SFQ, type SfqData } from './fair-queues.ts'
import { checkNetem, NETEM, type NetemData } from './netem.ts'
import { PRIO, type PrioData } from './prio.ts'
import type { QdiscCounters, QdiscStatistics } from './qdisc-statistics.ts'

/** Options of tbf, which limits the rate by a token bucket: tc-tbf(8). */
export interface TbfData {
  /** Maximum rate in bit/s. */
  rate: number
  /**
   * Size of the bucket in bytes: how much can be sent at once after a pause. A packet that is larger is never sent. Default: the
   * bytes that the rate allows in 10 ms, but at least two packets of the link's current MTU.
   */
  burst?: number | undefined
  /** Maximum time of a packet in the queue, in milliseconds. Not together with `limit`. Default: `50`. */
  latency?: number | undefined
  /** Maximum size of the queue in bytes. */
  limit?: number | undefined
  /** How fast a burst can leave, in bit/s (`peakrate`). Default: as fast as the link sends. */
  peakRate?: number | undefined
  /** Size of the bucket of `peakRate` in bytes (`minburst`). Default: one packet of the link's current MTU. */
  peakBurst?: number | undefined
}

/** Options of htb, hierarchical token buckets: tc-htb(8). */
export interface HtbData {
  /** Minor number of the class for packets that no filter matches. `0`: such packets are sent at once. Default: `0`. */
  defaultClass?: number | undefined
  /** By what the rate of a class in bytes per second is divided to get its `quantum` (`r2q`). Default: `10`. */
  rateToQuantum?: number | undefined
  /** How many packets that are sent at once can wait (`direct_qlen`). Default: the `txQueueLength` of the link. */
  directQueueLength?: number | undefined
}

/** A kind of queueing discipline without options. */
export type NoOptions = Record<never, never>

/** The kinds of queueing discipline, and the options of each. */
export interface QdiscData {
  cake: CakeData
  /** Filters see the packets that arrive (`parent: 'ingress'`) and that leave (`parent: 'egress'`). */
  clsact: NoOptions
  fq: FqData
  fq_codel: FqCodelData
  htb: HtbData
  /** Filters see the packets that arrive. */
  ingress: NoOptions
  netem: NetemData
  /** A qdisc whose kind nsset knows only by its name. */
  other: {
    /** The kernel's name of the kind, such as `'pfifo'`. */
    type: string
    /** The kernel's attributes of its options, in hexadecimal digits. */
    options?: string | undefined
  }
  prio: PrioData
  sfq: SfqData
  tbf: TbfData
}

/** A kind of queueing discipline. */
export type QdiscKind = keyof QdiscData

/** The properties of every queueing discipline. */
export interface QdiscBase {
  link: { index: number }
  /** Its own number, such as `'8001:'`. */
  handle: string
  /** `'root'`, or a class of another qdisc. */
  parent: string
  statistics: QdiscStatistics
}

/** A queueing discipline of any kind. `kind` tells them apart. */
export type Qdisc = {
  [K in QdiscKind]: QdiscBase &
    QdiscData[K] & { kind: K } & (K extends keyof QdiscCounters ? { statistics: QdiscCounters[K] } : unknown)
}[QdiscKind]

/** The parent and handle of a queueing discipline. */
export interface QdiscPlace {
  /**
   * `'root'`, or a class in hexadecimal digits, such as `'1:10'`. A qdisc for arriving packets, of type `ingress` or `clsact`, has
   * the parent `'ingress'`, which is `'ffff:fff1'`. Default: `'root'`.
   */
  parent?: string | undefined
  /** Its own number, such as `'1:'`. Default: chosen by the kernel. */
  handle?: string | undefined
}

/** Options of {@link NetworkQdiscs.delete}. They can be a {@link Qdisc} of a list. */
export interface DeleteQdiscOptions {
  /** `'root'`, `'ingress'`, or a class such as `'1:10'`. Default: `'root'`. */
  parent?: string | undefined
  /** Its own number. Default: any. */
  handle?: string | undefined
  /** Its kind. Default: any. */
  kind?: QdiscKind | undefined
}

/** A new queueing discipline of any kind. `kind` tells them apart. */
export type QdiscSpec = { [K in QdiscKind]: QdiscPlace & QdiscData[K] & { kind: K } }[QdiscKind]

const size = whole(1, 0xffffffff)

const QDISC_KINDS: { readonly [K in QdiscKind]: FieldsOf<QdiscData[K]> } = {
  cake: CAKE,
  clsact: {},
  fq: FQ,
  fq_codel: FQ_CODEL,
  htb: { defaultClass: u16, rateToQuantum: whole(1, 0xffffffff), directQueueLength: u32 },
  ingress: {},
  netem: NETEM,
  other: { type: text, options: octets },
  prio: PRIO,
  sfq: SFQ,
  tbf: { rate, burst: size, latency: milliseconds, limit: size, peakRate: rate, peakBurst: size },
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
  throw invalidValue(name, "must be 'root', 'ingress', or a handle such as '1:' or '1:10'", value)
}

const PLACE = { kind, parent: handle, handle, link: described, statistics: described } satisfies FieldsOf<
  QdiscPlace & QdiscBase & { kind: QdiscKind }
>

/** @internal */
export function parseQdisc(spec: unknown, name: string): Plain {
  const of = kind(parseObject(spec, name)['kind'], `${name}.kind`)
  const fields: Fields = { ...PLACE, ...QDISC_KINDS[of] }
  const parsed = parseFields(spec, name, fields, REQUIRED[of]) as Plain
  if (of === 'netem') checkNetem(parsed, name)
  if (of === 'tbf' && parsed['latency'] !== undefined && parsed['limit'] !== undefined) {
    throw invalidValue(
      `${name}.limit`,
      "must not be combined with 'latency': both set the size of the queue",
      parsed['limit'],
    )
  }
  if (of === 'tbf') ensurePeak(parsed, name)
  return parsed
}

/** The kernel takes a peak rate that does not exceed the rate, and then sends nothing faster than that. */
function ensurePeak({ rate, peakRate, peakBurst }: Plain, name: string): void {
  if (peakBurst !== undefined && peakRate === undefined) {
    throw invalidValue(`${name}.peakBurst`, "needs a 'peakRate', whose bucket it is", peakBurst)
  }
  if (peakRate !== undefined && Number(peakRate) <= Number(rate)) {
    throw invalidValue(`${name}.peakRate`, `must exceed the rate, ${rate}`, peakRate)
  }
}

/** @internal Parses what identifies a queueing discipline: its parent, and its handle and kind if they are given. */
export function parseQdiscPlace(value: unknown, name: string): Plain {
  const given = parseObject(value, name)
  const of = given['kind'] === undefined ? undefined : kind(given['kind'], `${name}.kind`)
  const rest = Object.fromEntries(Object.keys(of === undefined ? {} : QDISC_KINDS[of]).map((key) => [key, described]))
  const fields: Fields = { ...PLACE, ...rest, type: text }
  const parsed = parseFields(value, name, fields)
  const type = of === 'other' ? parsed['type'] : of
  return { parent: parsed['parent'] ?? 'root', handle: parsed['handle'] ?? ':', type }
}
