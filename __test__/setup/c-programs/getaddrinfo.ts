/** getaddrinfo(3) of this system's C library: the program in C beside this file, compiled once. */
import type { NamespaceSet } from 'nsset'
import { compileC } from './c-program.ts'

export interface Question {
  name: string
  family?: 0 | 4 | 6 | undefined
  /** Of getaddrinfo(3): `dns.ADDRCONFIG`, `dns.V4MAPPED`, `dns.ALL`. */
  hints?: number | undefined
}

export interface GetAddrInfo extends Disposable {
  /** What it says inside: addresses in its order, or the code of the error that `dns.lookup` makes of it. */
  ask(set: NamespaceSet, question: Question): Promise<string>
}

/** Undefined where there is no compiler, or another C library. */
export function compileGetAddrInfo(): GetAddrInfo | undefined {
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } }
  if (report.header?.glibcVersionRuntime === undefined) return undefined
  const program = compileC('getaddrinfo')
  if (program === undefined) return undefined
  const ask = async (set: NamespaceSet, { name, family = 0, hints = 0 }: Question) => {
    const env = { PATH: process.env.PATH ?? '/usr/bin' }
    const { stdout } = await set.execFile(program.path, [name, `${family}`, `${hints}`], { env, timeout: 60_000 })
    const lines = stdout.trim().split('\n')
    return lines.map((line) => CODES.get(line) ?? line).join(' ')
  }
  return { ask, [Symbol.dispose]: () => program[Symbol.dispose]() }
}

/** As libuv and Node have them. */
const CODES = new Map([
  ['EAI_NONAME', 'ENOTFOUND'],
  ['EAI_NODATA', 'ENOTFOUND'],
])
