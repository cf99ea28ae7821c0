import { invalidType, misuse } from '../../errors.ts'

/** @internal The number of a signal that was named or numbered. */
export function parseSignalNumber(signal: unknown, name: string): number {
  if (typeof signal !== 'string' && typeof signal !== 'number') {
    throw invalidType(name, 'a signal, by name or number', signal)
  }
  const number = typeof signal === 'number' ? signal : numbers()[signal.toUpperCase()]
  if (number === undefined || nameOfSignal(number) === '') {
    throw misuse('ERR_UNKNOWN_SIGNAL', `The argument '${name}' must be a signal. Received ${String(signal)}`)
  }
  return number
}

/** @internal The name of a signal, empty for what is none. */
export function nameOfSignal(number: number): string {
  return Object.entries(numbers()).find(([, value]) => value === number)?.[0] ?? ''
}

/** Looked up when needed: a module of Node's that nobody else has imported yet costs half a millisecond at load. */
function numbers(): Record<string, number> {
  return process.getBuiltinModule('node:os').constants.signals
}
