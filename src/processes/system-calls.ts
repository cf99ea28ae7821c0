import type { NativeSystemCallFilter } from '../../index.js'
import { invalidValue } from '../errors.ts'
import { binding } from '../native.ts'
import { bareCopy } from '../validate/fields.ts'
import { meant } from '../validate/nearest.ts'
import {
  type ParsedFilter,
  parseFilter,
  remember,
  type SystemCallFilter,
} from '../validate/processes/confinement/system-calls.ts'

/**
 * Checks a filter of system calls, and returns a frozen copy for the option `seccomp` of `spawn`, `execFile` and `fork`. It is compiled
 * once, and not for each program, as a plain object is.
 *
 * The filter has to allow `execve`, by which the program starts.
 *
 * @example
 * const filter = systemCalls({ default: 'allow', deny: ['ptrace', { name: 'socket', when: [{ index: 0, is: '==', value: 40 }] }] })
 * await set.execFile('make', [], { seccomp: filter })
 *
 * @throws ERR_INVALID_ARG_VALUE for a name that no system call has
 * @see seccomp(2), syscalls(2)
 */
export function systemCalls<const F extends SystemCallFilter>(filter: F): F {
  const parsed = parseFilter(filter, 'filter')
  compile(parsed, 'filter')
  const copy = deepFreeze(structuredClone(filter))
  remember(copy, parsed)
  return copy
}

const programs = new WeakMap<ParsedFilter, NativeSystemCallFilter>()

/** @internal Returns the program for the kernel. */
export function compile(filter: ParsedFilter, name: string): NativeSystemCallFilter {
  const known = programs.get(filter)
  if (known !== undefined) return known
  for (const { calls } of filter.lists)
    for (const call of calls) if (call.name !== undefined) checkName(call.name, name)
  const program = binding().compileSystemCallFilter(bareCopy(filter))
  programs.set(filter, program)
  return program
}

function checkName(call: string, name: string): void {
  if (binding().isSystemCall(call)) return
  const hint = meant(call, binding().systemCallNames())
  throw invalidValue(name, `must have names of syscalls(2), or numbers${hint}`, call)
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(value).forEach(deepFreeze)
  return Object.freeze(value)
}
