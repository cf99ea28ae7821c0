/** A program in C that makes system calls, with their numbers from the headers of this machine. */
import { execFileSync } from 'node:child_process'
import { type CProgram, compileC } from './c-program.ts'

/** Compiles it; undefined where there is no compiler. It needs no file but itself. */
export const compileSystemCalls = (): CProgram | undefined => compileC('system-calls', '-static')

/** The numbers of these system calls; undefined for a name that the headers do not have. */
export function numbersOf(names: readonly string[]): Record<string, number | undefined> {
  const lines = names.map((name) => `#ifdef __NR_${name}\n@${name}=__NR_${name}\n#endif`).join('\n')
  const input = `#include <sys/syscall.h>\n${lines.replace(/@(\w+)=/g, 'NAME_$1 = ')}\n`
  const text = execFileSync('cc', ['-E', '-P', '-x', 'c', '-'], { input, encoding: 'utf8' })
  const found = [...text.matchAll(/NAME_(\w+) = (\d+)/g)].map(([, name, number]) => [name, Number(number)])
  return Object.fromEntries(found)
}
