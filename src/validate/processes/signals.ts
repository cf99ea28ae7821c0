import { invalidType, misuse } from '../../errors.ts'

/** @internal Returns the number of a signal that is given by its name or number. */
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

/** @internal Returns the name of a signal, or an empty string if there is none. */
export function nameOfSignal(number: number): string {
  return Object.entries(numbers()).find(([, value]) => value === number)?.[0] ?? ''
}

/** Read on use: loading a Node.js module that is not loaded yet takes half a millisecond. */
function numbers(): Record<string, number> {
  return process.getBuiltinModule('node:os').constants.signals
}
