/** getaddrinfo(3) of this system's C library: the program in C beside this file, compiled once. */
import { execFileSync } from 'node:child_process'
import { chmodSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { NamespaceSet } from 'nsset'
import { temporaryDirectory } from './temporary-directory.ts'

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
  const directory = temporaryDirectory()
  chmodSync(directory.path, 0o755)
  const path = directory.file('getaddrinfo')
  const source = fileURLToPath(new URL('getaddrinfo.c', import.meta.url))
  try {
    execFileSync('cc', ['-O1', '-o', path, source], { stdio: 'pipe', timeout: 60_000 })
  } catch (error) {
    directory[Symbol.dispose]()
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  const ask = async (set: NamespaceSet, { name, family = 0, hints = 0 }: Question) => {
    const env = { PATH: process.env.PATH ?? '/usr/bin' }
    const { stdout } = await set.execFile(path, [name, `${family}`, `${hints}`], { env, timeout: 60_000 })
    const lines = stdout.trim().split('\n')
    return lines.map((line) => CODES.get(line) ?? line).join(' ')
  }
  return { ask, [Symbol.dispose]: () => directory[Symbol.dispose]() }
}

/** As libuv and Node have them. */
const CODES = new Map([
  ['EAI_NONAME', 'ENOTFOUND'],
  ['EAI_NODATA', 'ENOTFOUND'],
])
