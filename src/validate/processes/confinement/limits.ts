import type { NativeLimit } from '../../../../index.js'
import { invalidType, invalidValue, outOfRange } from '../../../errors.ts'
import { type FieldsOf, type Parse, parseFields } from '../../fields.ts'

/**
 * The limits of a resource, as in getrlimit(2): a number for both, or the soft limit, which the program can raise up to the hard one,
 * and the hard limit. A limit that is left out stays the caller's; the soft one is at most the hard one. `Infinity` means unlimited.
 */
export type ProcessLimit = number | { soft?: number | undefined; hard?: number | undefined }

/**
 * Limits of a program, and of each program that it starts (getrlimit(2)). `processes` limits all processes of the user; the others
 * limit each process.
 *
 * @example
 * await set.execFile('node', ['task.js'], { limits: { openFiles: 256, cpuSeconds: { soft: 10, hard: 12 }, coreSize: 0 } })
 */
export interface ProcessLimits {
  /** RLIMIT_NOFILE: the number of descriptors, like `prlimit --nofile`. */
  openFiles?: ProcessLimit | undefined
  /**
   * RLIMIT_NPROC: the number of processes and threads that the program's user has in the user namespace, like `prlimit --nproc`. A
   * process with CAP_SYS_RESOURCE or CAP_SYS_ADMIN is not limited.
   */
  processes?: ProcessLimit | undefined
  /** RLIMIT_FSIZE: the size of a file that is written, in bytes, like `prlimit --fsize`. More sends SIGXFSZ, and fails with EFBIG. */
  fileSize?: ProcessLimit | undefined
  /** RLIMIT_AS: the virtual memory in bytes, like `prlimit --as`. Node.js reserves many GiB that it does not use. */
  addressSpace?: ProcessLimit | undefined
  /** RLIMIT_CPU: the CPU time in seconds, like `prlimit --cpu`. The soft limit sends SIGXCPU, the hard one SIGKILL. */
  cpuSeconds?: ProcessLimit | undefined
  /** RLIMIT_CORE: the size of a core dump in bytes, like `prlimit --core`. 0 means none. */
  coreSize?: ProcessLimit | undefined
  /** RLIMIT_STACK: the stack in bytes, like `prlimit --stack`. A quarter of it limits the arguments and the environment. */
  stackSize?: ProcessLimit | undefined
  /** RLIMIT_MEMLOCK: the memory that the program can lock, in bytes, like `prlimit --memlock`. */
  lockedMemory?: ProcessLimit | undefined
}

const amount: Parse<number> = (value, name) => {
  if (typeof value !== 'number') throw invalidType(name, 'a number', value)
  if (value === Number.POSITIVE_INFINITY || (Number.isSafeInteger(value) && value >= 0)) return value
  throw outOfRange(name, `a whole number from 0 to ${Number.MAX_SAFE_INTEGER}, or Infinity`, value)
}

const SOFT_AND_HARD = { soft: amount, hard: amount } satisfies FieldsOf<Exclude<ProcessLimit, number>>

const limit: Parse<Omit<NativeLimit, 'resource'>> = (value, name) => {
  if (typeof value === 'number') return { soft: amount(value, name), hard: value }
  if (typeof value !== 'object') throw invalidType(name, 'a number, or an object with soft and hard', value)
  const { soft, hard } = parseFields(value, name, SOFT_AND_HARD)
  if (soft === undefined && hard === undefined) throw invalidValue(name, 'must have soft or hard', value)
  if (soft !== undefined && hard !== undefined && soft > hard) {
    throw outOfRange(`${name}.soft`, `at most the hard limit, ${hard}`, soft)
  }
  return { ...(soft === undefined ? {} : { soft }), ...(hard === undefined ? {} : { hard }) }
}

const LIMITS = {
  openFiles: limit,
  processes: limit,
  fileSize: limit,
  addressSpace: limit,
  cpuSeconds: limit,
  coreSize: limit,
  stackSize: limit,
  lockedMemory: limit,
} satisfies FieldsOf<ProcessLimits>

/** @internal */
export const limits: Parse<NativeLimit[]> = (value, name) =>
  Object.entries(parseFields(value, name, LIMITS)).map(([resource, given]) => ({ resource, ...given }))
