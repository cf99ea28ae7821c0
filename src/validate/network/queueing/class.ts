import { invalidValue } from '../../../errors.ts'
import { type Fields, type FieldsOf, type Parse, type Plain, parseFields, parseObject } from '../../fields.ts'
import { described, u16, u32, whole } from '../../values.ts'
import { octets, rate, text } from '../values.ts'
import { handle } from './qdisc.ts'
import type { QdiscStatistics } from './qdisc-statistics.ts'

/** Options of a class of htb: tc-htb(8). */
export interface HtbClassData {
  /** The rate that the class always gets, in bit/s. */
  rate: number
  /** The rate that it gets at most, with what other classes leave, in bit/s. Default: `rate`. */
  ceil?: number | undefined
  /** How many bytes can be sent at once after a pause. Default: `1600`. */
  burst?: number | undefined
  /** The same at the rate of `ceil` (`cburst`). Default: `1600`. */
  ceilBurst?: number | undefined
  /** Classes with a lower number get first what is left, from 0 to 7. Default: `0`. */
  priority?: number | undefined
  /** How many bytes the class sends in its turn. Default: the kernel's, a tenth of the rate in bytes. */
  quantum?: number | undefined
  /** How many bytes each packet is longer on the line. Default: `0`. */
  overhead?: number | undefined
  /** Smallest size of a packet on the line, in bytes. Default: `0`. */
  mpu?: number | undefined
}

/** The kinds of class, and the options of each. */
export interface ClassData {
  htb: HtbClassData
  /** A class whose kind nsset knows only by its name. */
  other: {
    /** The kernel's name of the kind, such as `'hfsc'` or `'prio'`. */
    type: string
    /** The kernel's attributes of its options, in hexadecimal digits. */
    options?: string | undefined
  }
}

/** A kind of class. */
export type ClassKind = keyof ClassData

/** Counters of a class. */
export interface ClassStatistics extends QdiscStatistics {
  /** htb: number of packets that were sent at the rate of the class. */
  lends?: number
  /** htb: number of packets that were sent at a rate that the class has borrowed. */
  borrows?: number
}

/** The properties of every class. */
export interface ClassBase {
  link: { index: number }
  /** Its own number, such as `'1:10'`. */
  handle: string
  /** The class above it, such as `'1:1'`, or `'root'` for one directly below its qdisc. */
  parent: string
  /** The handle of the qdisc in which its packets wait. */
  leaf?: string
  statistics: ClassStatistics
}

/** A class of any kind. `kind` tells them apart. */
export type TrafficClass = { [K in ClassKind]: ClassBase & ClassData[K] & { kind: K } }[ClassKind]

/** The place of a new class. */
export interface ClassPlace {
  /** Its own number in hexadecimal digits, such as `'1:10'`. */
  handle: string
  /** The class above it, such as `'1:1'`; the qdisc, such as `'1:'`; or `'root'` for the qdisc of the link. Default: `'root'`. */
  parent?: string | undefined
}

/** A new class of any kind. `kind` tells them apart. */
export type TrafficClassSpec = { [K in ClassKind]: ClassPlace & ClassData[K] & { kind: K } }[ClassKind]

const CLASS_KINDS: { readonly [K in ClassKind]: FieldsOf<ClassData[K]> } = {
  htb: {
    rate,
    ceil: rate,
    burst: u32,
    ceilBurst: u32,
    priority: whole(0, 7),
    quantum: u32,
    overhead: u16,
    mpu: u16,
  },
  other: { type: text, options: octets },
}

const REQUIRED: { readonly [K in ClassKind]: readonly string[] } = { htb: ['rate'], other: ['type'] }

const KINDS = Object.keys(CLASS_KINDS) as ClassKind[]

const kind: Parse<ClassKind> = (value, name) => {
  if (KINDS.includes(value as ClassKind)) return value as ClassKind
  throw invalidValue(name, `must be a kind of class: ${KINDS.join(', ')}`, value)
}

const PLACE = {
  kind,
  handle,
  parent: handle,
  link: described,
  leaf: described,
  statistics: described,
} satisfies FieldsOf<ClassPlace & ClassBase & { kind: ClassKind }>

/** @internal */
export function parseClass(spec: unknown, name: string): Plain {
  const of = kind(parseObject(spec, name)['kind'], `${name}.kind`)
  const fields: Fields = { ...PLACE, ...CLASS_KINDS[of] }
  const parsed = parseFields(spec, name, fields, ['handle', ...REQUIRED[of]])
  return { ...parsed, parent: parsed['parent'] ?? 'root' }
}

/** A reference to a class: its handle, or an object with it. */
export type ClassRef = string | { readonly handle: string }

/** @internal Returns the handle. */
export function parseClassRef(ref: unknown, name: string): string {
  if (typeof ref !== 'object' || ref === null) return handle(ref, name)
  return handle((ref as Plain)['handle'], `${name}.handle`)
}
