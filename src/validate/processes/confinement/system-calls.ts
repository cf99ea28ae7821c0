import { invalidType, invalidValue, outOfRange } from '../../../errors.ts'
import { array, type FieldsOf, type Parse, parseFields, parseObject } from '../../fields.ts'
import { boolean, nonEmptyText, parseInteger, u32, whole, word } from '../../values.ts'

/**
 * What happens at a system call. `'allow'`: it runs. `'log'`: it runs, and the kernel writes it to the audit log. `'deny'`: it fails
 * with an error number. `'kill'`: SIGSYS ends the process.
 */
export type SystemCallAction = 'allow' | 'log' | 'deny' | 'kill'

/**
 * A condition on an argument of a system call.
 *
 * @example
 * const isVsock: SystemCallCondition = { index: 0, is: '==', value: 40 } // socket(AF_VSOCK, …)
 */
export interface SystemCallCondition {
  /** Which argument, from 0 to 5. */
  index: number
  /** The comparison, of unsigned numbers. */
  is: '==' | '!=' | '<' | '<=' | '>' | '>='
  /** The value to compare with. A negative number stands for its two's complement. */
  value: number | bigint
  /** With `'=='`: which bits of the argument are compared. Default: all. */
  mask?: number | bigint | undefined
  /**
   * How many bits of the argument the kernel reads: 32 for an `int`, which most arguments are, or 64 for a pointer or a size. What is
   * above these bits is not compared: a program could set it, and the kernel would ignore it. Default: `32`.
   */
  bits?: 32 | 64 | undefined
}

/** A system call in a list of a filter, with conditions. */
export interface SystemCallRule {
  /** The name, as in syscalls(2), or the number on this architecture. */
  name: string | number
  /** Conditions on the arguments, which all have to hold. Default: none. */
  when?: readonly SystemCallCondition[] | undefined
  /** In `deny`: the error, by its name or number. Default: that of the filter. */
  errno?: string | number | undefined
}

type SystemCalls = readonly (string | number | SystemCallRule)[]

/**
 * Which system calls a program may make: a filter of seccomp(2), as plain data. If several lists match, the strictest decides: `kill`,
 * `deny`, `log`, `allow`.
 *
 * Calls of other architectures than that of Node.js end the process, and those of the x32 ABI fail with ENOSYS. A name that only another
 * architecture has is skipped, such as `open` on arm64.
 */
export interface SystemCallFilter {
  /** What happens at a system call that is in no list. */
  readonly default: SystemCallAction
  /** What runs. */
  readonly allow?: SystemCalls | undefined
  /** What runs and is logged. */
  readonly log?: SystemCalls | undefined
  /** What fails. */
  readonly deny?: SystemCalls | undefined
  /** What ends the process. */
  readonly kill?: SystemCalls | undefined
  /** The error of what fails, by its name or number. Default: `'EPERM'`. */
  readonly errno?: string | number | undefined
  /**
   * Whether system calls that are newer than this version of nsset, and so have no name, fail with ENOSYS, as on an older kernel.
   * Default: `false`; they are treated as `default` says.
   */
  readonly denyUnknown?: boolean | undefined
}

/** @internal A condition, as the native side takes it. */
interface Condition {
  index: number
  operator: (typeof OPERATORS)[keyof typeof OPERATORS]
  value: bigint
  mask?: bigint
  isLong: boolean
}

interface Call {
  name?: string
  number?: number
  conditions: Condition[]
}

/** @internal A filter as the native side takes it. */
export interface ParsedFilter {
  lists: { action: SystemCallAction; errno: number; calls: Call[] }[]
  defaultAction: SystemCallAction
  defaultErrno: number
  deniesUnknown: boolean
}

const OPERATORS = {
  '==': 'equal',
  '!=': 'notequal',
  '<': 'less',
  '<=': 'atmost',
  '>': 'greater',
  '>=': 'atleast',
} as const

const operator = word('==', '!=', '<', '<=', '>', '>=')
const MOST_ERRNO = 4095

const errno: Parse<number> = (value, name) => {
  if (typeof value === 'number') return parseInteger(value, name, 1, MOST_ERRNO)
  const numbers: Record<string, number> = process.getBuiltinModule('node:os').constants.errno
  const number = typeof value === 'string' && Object.hasOwn(numbers, value) ? numbers[value] : undefined
  if (number === undefined)
    throw invalidValue(name, "must be the name of an error, such as 'EPERM', or its number", value)
  return number
}

const wide: Parse<bigint> = (value, name) => {
  if (typeof value === 'bigint') return value
  if (typeof value !== 'number') throw invalidType(name, 'a number or a bigint', value)
  if (!Number.isSafeInteger(value)) throw outOfRange(name, 'a whole number; use a bigint above 2 ** 53', value)
  return BigInt(value)
}

const bits: Parse<32 | 64> = (value, name) => {
  if (value === 32 || value === 64) return value
  throw invalidValue(name, 'must be 32 or 64', value)
}

const CONDITION = {
  index: whole(0, 5),
  is: operator,
  value: wide,
  mask: wide,
  bits,
} satisfies FieldsOf<SystemCallCondition>

/** The bits of a number, which may be negative. */
function unsigned(value: bigint, name: string, width: 32 | 64): bigint {
  const most = 2n ** BigInt(width)
  if (value >= -(most / 2n) && value < most) return BigInt.asUintN(width, value)
  throw outOfRange(name, `a number of ${width} bits${width === 32 ? '; use bits: 64 for a larger one' : ''}`, value)
}

const condition: Parse<Condition> = (given, name) => {
  const { index, is, value, mask, bits = 32 } = parseFields(given, name, CONDITION, ['index', 'is', 'value'])
  if (mask !== undefined && is !== '==') throw invalidValue(`${name}.mask`, "is for '==' only", mask)
  return {
    index,
    operator: OPERATORS[is],
    value: unsigned(value, `${name}.value`, bits),
    ...(mask === undefined ? {} : { mask: unsigned(mask, `${name}.mask`, bits) }),
    isLong: bits === 64,
  }
}

const nameOrNumber: Parse<string | number> = (value, name) =>
  typeof value === 'number' ? u32(value, name) : nonEmptyText(value, name)

const RULE = { name: nameOrNumber, when: array(condition), errno } satisfies FieldsOf<SystemCallRule>

interface ParsedRule {
  call: Call
  errno: number | undefined
}

function callOf(given: string | number, conditions: Condition[]): Call {
  return typeof given === 'number' ? { number: given, conditions } : { name: given, conditions }
}

const rule: Parse<ParsedRule> = (value, name) => {
  if (typeof value === 'string' || typeof value === 'number') {
    return { call: callOf(nameOrNumber(value, name), []), errno: undefined }
  }
  const { name: given, when = [], errno } = parseFields(value, name, RULE, ['name'])
  return { call: callOf(given, when), errno }
}

const denied = array(rule)
const others: Parse<Call[]> = (value, name) =>
  denied(value, name).map(({ call, errno }, index) => {
    if (errno !== undefined) throw invalidValue(`${name}[${index}].errno`, "is for the list 'deny'", errno)
    return call
  })

const action = word('allow', 'log', 'deny', 'kill')

const FILTER = {
  default: action,
  allow: others,
  log: others,
  deny: denied,
  kill: others,
  errno,
  denyUnknown: boolean,
} satisfies FieldsOf<SystemCallFilter>

const EPERM = 1

/** @internal Checks a filter, except whether its names are names of system calls, which the native side knows. */
export function parseFilter(value: unknown, name: string): ParsedFilter {
  const given = parseFields(value, name, FILTER, ['default'])
  const defaultErrno = given.errno ?? EPERM
  const { kill = [], deny = [], log = [], allow = [] } = given
  const byErrno = new Map<number, Call[]>()
  for (const { call, errno = defaultErrno } of deny) byErrno.set(errno, [...(byErrno.get(errno) ?? []), call])
  const lists = [
    { action: 'kill' as const, errno: 0, calls: kill },
    ...[...byErrno].map(([errno, calls]) => ({ action: 'deny' as const, errno, calls })),
    { action: 'log' as const, errno: 0, calls: log },
    { action: 'allow' as const, errno: 0, calls: allow },
  ]
  return {
    lists: lists.filter(({ calls }) => calls.length > 0),
    defaultAction: given.default,
    defaultErrno,
    deniesUnknown: given.denyUnknown ?? false,
  }
}

const INSTRUCTION = 8
const MOST_INSTRUCTIONS = 4096

/** @internal Filters that were checked, by the frozen objects of {@link systemCalls}. */
const checked = new WeakMap<object, ParsedFilter>()

/** @internal Remembers that a frozen filter was checked. */
export function remember(filter: SystemCallFilter, parsed: ParsedFilter): void {
  checked.set(filter, parsed)
}

/** @internal Returns whether a value is such an object. */
export function isRemembered(filter: unknown): filter is SystemCallFilter {
  return typeof filter === 'object' && filter !== null && checked.has(filter)
}

const A_FILTER = 'a filter, such as sandboxSystemCalls() or systemCalls({ … }), or instructions in a Buffer'

/** @internal A filter, or instructions for the kernel. */
export const seccomp: Parse<ParsedFilter | Buffer> = (value, name) => {
  if (typeof value !== 'object' || value === null) throw invalidType(name, A_FILTER, value)
  if (!ArrayBuffer.isView(value)) return checked.get(parseObject(value, name)) ?? parseFilter(value, name)
  const { byteLength } = value
  const count = byteLength / INSTRUCTION
  if (Number.isInteger(count) && count >= 1 && count <= MOST_INSTRUCTIONS) {
    return Buffer.from(value.buffer, value.byteOffset, byteLength)
  }
  throw outOfRange(`${name}.byteLength`, `1 to ${MOST_INSTRUCTIONS} instructions of ${INSTRUCTION} bytes`, byteLength)
}
