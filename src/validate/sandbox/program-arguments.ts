import { invalidValue, misuse } from '../../errors.ts'
import { type Plain, parseObject } from '../fields.ts'
import { parseArguments } from '../processes/spawn-options.ts'
import { whole } from '../values.ts'

/** The range of a timer. */
const parseTimeout = whole(0, 0x7fffffff)

/** @internal The arguments of a program in a box, and its options: those that are given, and those of the box. */
export interface ProgramArguments {
  args: string[]
  options: Plain
  /** Taken out of the options. 0 means never. */
  timeout: number
}

/**
 * @internal Parses `(args, options)` and `(options)`. An option that is undefined or null does not remove what the box has by default,
 * such as its filter of system calls. Options are also read from the prototype, as in Node.
 */
export function parseProgramArguments([first, second]: readonly unknown[], defaults: object): ProgramArguments {
  const [args, given] = parseArguments(first, second)
  const options: Plain = { ...defaults }
  const all = given === undefined || given === null ? {} : parseObject(given, 'options')
  if (all['kinds'] !== undefined) {
    throw invalidValue(
      'options.kinds',
      'must be undefined: a program of a box is in all namespaces of the box',
      all['kinds'],
    )
  }
  for (const key in all) {
    const value = all[key]
    if (value === undefined || (value === null && key in defaults)) continue
    options[key] = value
  }
  const { timeout, ...others } = options
  return { args, options: others, timeout: parseTimeout(timeout ?? 0, 'options.timeout') }
}

/** @internal @throws `ERR_NSSET_CLOSED`, with what has closed the box. */
export function checkOpen(closedBy: string | undefined): void {
  if (closedBy !== undefined) throw misuse('ERR_NSSET_CLOSED', `the box is closed: ${closedBy}`)
}
