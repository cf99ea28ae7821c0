/** A system call of an operation, a fault at it, and their names on the command line. */
import { constants } from 'node:os'

/** One system call of an operation, as the injector reports it. */
export interface Call {
  /** `main`, the name of another thread of Node.js, or `child-N` for the Nth process that the operation starts. */
  role: string
  name: string
  /** The number of this call among those of the role with the same name, from 1. */
  nth: number
  /** The argument that determines the possible errors; 0 if there is none. */
  flags: number
  /** Whether its descriptor is non-blocking. */
  isNonBlocking: boolean
  /** The target of its descriptor: `socket:[1234]`, a path, or `?`. */
  target: string
}

/** A call that fails with an error, or whose process gets a signal. */
export interface Fault {
  role: string
  call: string
  nth: number
  /** `EMFILE`, or `SIGKILL`. */
  what: string
}

/** `child-1/sendmsg/2/EMFILE` */
export function faultName({ role, call, nth, what }: Fault): string {
  return `${role}/${call}/${nth}/${what}`
}

/** The inverse of {@link faultName}. */
export function parseFault(name: string): Fault {
  const [role, call, nth, what, ...rest] = name.split('/')
  if (role === undefined || call === undefined || what === undefined || rest.length > 0 || !(Number(nth) > 0))
    throw new RangeError(`a fault is ROLE/CALL/NTH/ERROR or ROLE/CALL/NTH/SIGNAL, not ${name}`)
  numberOf(what)
  return { role, call, nth: Number(nth), what }
}

/** The number of an error or a signal. */
export function numberOf(what: string): number {
  // Node.js has no name for this one.
  if (what === 'ETOOMANYREFS') return 109
  const number = { ...constants.errno, ...constants.signals }[what as keyof typeof constants.errno]
  if (number === undefined) throw new RangeError(`${what} is neither an error nor a signal`)
  return number
}

/** The lines of the injector's report. */
export function parseReport(report: string): { isHit: boolean; calls: Call[] } {
  const lines = report.split('\n').filter((line) => line !== '')
  const calls = lines
    .filter((line) => line !== 'hit')
    .map((line) => {
      const [role = '', name = '', nth, flags, isNonBlocking, target = '?'] = line.split(' ')
      return { role, name, nth: Number(nth), flags: Number(flags), isNonBlocking: isNonBlocking === '1', target }
    })
  return { isHit: lines[0] === 'hit', calls }
}
