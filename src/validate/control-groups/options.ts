import { invalidType, invalidValue, outOfRange } from '../../errors.ts'
import { type AnyControlGroup, isControlGroup } from '../../objects/control-group-handle.ts'
import { type FieldsOf, type Parse, parseFields, parseOptions } from '../fields.ts'
import { type Path, parseControlGroup } from '../paths.ts'
import { nonEmptyText, signal, whole } from '../values.ts'

/** The limits of a control group, for all processes in it and in the groups below it together. `Infinity` means no limit. */
export interface ControlGroupLimits {
  /**
   * The most memory, in bytes (`memory.max`). The kernel reclaims memory at this limit, and then sends SIGKILL to a process of the
   * group. It rounds the limit down to whole pages.
   */
  memory?: number | undefined
  /** The most swap space, in bytes (`memory.swap.max`). */
  swap?: number | undefined
  /** The most processes and threads (`pids.max`). At this limit fork(2) fails with EAGAIN. */
  processes?: number | undefined
  /** The most CPU time, in CPUs: `0.5` is 50 ms of every 100 ms (`cpu.max`). From 0.01 on. */
  cpus?: number | undefined
  /** The share of the CPUs beside other groups of the same parent, from 1 to 10000 (`cpu.weight`). The kernel's default is 100. */
  cpuWeight?: number | undefined
}

/** Options of {@link ControlGroup.create}. */
export interface ControlGroupOptions extends ControlGroupLimits {
  /**
   * The group below which the new one is created: a {@link ControlGroup}, or its directory below a mount of cgroup2. Default: the
   * group of Node.js.
   */
  parent?: AnyControlGroup | Path | undefined
  /** The name of the new group in its parent. Default: a new name, such as `nsset-4711-1f9a`. */
  name?: string | undefined
}

/** Options of the methods of {@link ControlGroup} that wait. */
export interface ControlGroupWaitOptions {
  /** Stops waiting. */
  signal?: AbortSignal | undefined
}

/** The longest name of a file in bytes. */
const NAME_MAX = 255
/** The kernel's PID_MAX_LIMIT on 64-bit machines. */
const MOST_PROCESSES = 4_194_304
const LEAST_CPUS = 0.01
const MOST_CPUS = 100_000

/** A whole number, or Infinity for no limit. */
const limit = (most: number): Parse<number> => {
  const finite = whole(0, most)
  return (value, name) => (value === Number.POSITIVE_INFINITY ? value : finite(value, name))
}

const cpus: Parse<number> = (value, name) => {
  if (typeof value !== 'number') throw invalidType(name, 'a number of CPUs', value)
  const isInRange = value >= LEAST_CPUS && value <= MOST_CPUS
  if (isInRange || value === Number.POSITIVE_INFINITY) return value
  throw outOfRange(name, `a number from ${LEAST_CPUS} to ${MOST_CPUS}, or Infinity`, value)
}

const groupName: Parse<string> = (value, name) => {
  const given = nonEmptyText(value, name)
  if (given.includes('/')) throw invalidValue(name, 'must not contain a slash; use the option parent', given)
  if (given.includes('\n')) throw invalidValue(name, 'must not contain a line break', given)
  if (given === '.' || given === '..') throw invalidValue(name, "must not be '.' or '..'", given)
  if (Buffer.byteLength(given) > NAME_MAX) throw invalidValue(name, `must have at most ${NAME_MAX} bytes`, given)
  return given
}

const LIMITS = {
  memory: limit(Number.MAX_SAFE_INTEGER),
  swap: limit(Number.MAX_SAFE_INTEGER),
  processes: limit(MOST_PROCESSES),
  cpus,
  cpuWeight: whole(1, 10_000),
} satisfies FieldsOf<ControlGroupLimits>

/** A group as parent: its object, which can turn on controllers, or its directory. */
const parent: Parse<{ directory: string; group: AnyControlGroup | undefined }> = (value, name) => ({
  // The working directory may change before the group is used.
  directory: process.getBuiltinModule('node:path').resolve(String(parseControlGroup(value, name))),
  group: isControlGroup(value) ? value : undefined,
})

const CREATE = { ...LIMITS, parent, name: groupName } satisfies FieldsOf<ControlGroupOptions>
const WAIT = { signal } satisfies FieldsOf<ControlGroupWaitOptions>

/** @internal */
export function parseControlGroupOptions(options: unknown) {
  return parseOptions(options, CREATE)
}

/** @internal */
export function parseControlGroupLimits(changes: unknown, name = 'changes') {
  return parseFields(changes, name, LIMITS)
}

/** @internal */
export function parseControlGroupWait(options: unknown) {
  return parseOptions(options, WAIT)
}
