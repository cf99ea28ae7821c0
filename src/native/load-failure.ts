import { createRequire } from 'node:module'
import { createError, misuse } from '../errors.ts'

/** @internal A location of the binary, and why loading from it failed. */
export interface LoadFailure {
  readonly location: string
  readonly error: NodeJS.ErrnoException
}

/** The processors, as Node calls them, for which there are packages with a binary. */
const PUBLISHED = new Set(['arm64', 'x64'])

const MISSING = new Set(['MODULE_NOT_FOUND', 'ERR_MODULE_NOT_FOUND'])

/** Messages of the dynamic linkers of glibc and musl, and the remedies. */
const REMEDIES: readonly (readonly [RegExp, string])[] = [
  [/GLIBC(XX)?_/, 'this system has an older C library than the binary needs: update it, or build nsset from source'],
  [
    /libc\.musl|ld-musl|libc\.so\.6|ld-linux/,
    'the binary is for another C library: install nsset on this system, not on another one',
  ],
  [
    /too short|ELF|Exec format|file format|truncated|not a valid|self-register|regular file|loadable segments|dynamically load/i,
    'the file is damaged, or for another processor: install nsset again',
  ],
  [
    /map segment|Operation not permitted|Permission denied/i,
    'it must be readable, on a file system that is not mounted noexec, and no policy may forbid to execute it',
  ],
]

/** Messages of the dynamic linkers for a process that has run out of a resource. */
const SHORTAGES: readonly (readonly [RegExp, 'EMFILE' | 'ENFILE' | 'ENOMEM'])[] = [
  [/Too many open files in system/, 'ENFILE'],
  [/Too many open files|No file descriptors available/, 'EMFILE'],
  [/Cannot allocate memory|Out of memory/, 'ENOMEM'],
]

/** @internal The error for a binary that could not be loaded. Its cause is the first failure other than a missing file. */
export function loadError(failures: readonly LoadFailure[], targets: readonly string[]): Error {
  const here = `${process.platform}-${process.arch}`
  if (process.platform !== 'linux') return unsupported(`nsset needs Linux, and this is ${here}`)
  const cause = causeOf(failures)
  const error = causedBy(cause) ?? unsupported(reasonOfNothing(here, targets))
  error.cause = cause ?? failures.at(-1)?.error
  return error
}

function causedBy(cause: NodeJS.ErrnoException | undefined): Error | undefined {
  const shortage = cause === undefined ? shortageNow() : shortageOf(cause)
  if (shortage !== undefined) return short(shortage, cause)
  if (cause === undefined) return undefined
  const [line = ''] = cause.message.split('\n')
  return unsupported(`nsset could not load its binary: ${line.replace(/\.$/, '')}; ${remedyFor(cause)}`)
}

/** @internal The first failure other than a missing file. The generated loader hides it in a chain of causes. */
export function causeOf(failures: readonly LoadFailure[]): NodeJS.ErrnoException | undefined {
  for (const { error } of failures) {
    let each: unknown = error
    while (each instanceof Error) {
      const { code, cause } = each as NodeJS.ErrnoException
      if (code !== undefined && !MISSING.has(code)) return each
      each = cause
    }
  }
  return undefined
}

function remedyFor({ code, message, ...rest }: NodeJS.ErrnoException): string {
  if (code === 'ERR_DLOPEN_DISABLED') {
    const hasPermissions = 'permission' in process && process.permission !== undefined
    return hasPermissions
      ? 'the permission model needs --allow-addons beside --permission'
      : '--no-addons forbids it, on the command line, in NODE_OPTIONS or in the execArgv of a Worker'
  }
  if (code === 'ERR_ACCESS_DENIED') {
    const { resource = 'the files of nsset' } = rest as { resource?: string }
    return `the permission model needs --allow-fs-read for ${resource}, and --allow-addons`
  }
  const known = REMEDIES.find(([pattern]) => pattern.test(message))
  return known?.[1] ?? 'see the cause'
}

function shortageOf({ code, message }: NodeJS.ErrnoException): string | undefined {
  if (code === 'EMFILE' || code === 'ENFILE' || code === 'ENOMEM') return code
  return SHORTAGES.find(([pattern]) => pattern.test(message))?.[1]
}

/** If no descriptor is left, Node.js cannot read a package.json, and reports that the module does not exist. */
function shortageNow(): string | undefined {
  const { closeSync, openSync } = process.getBuiltinModule('node:fs')
  try {
    closeSync(openSync('/', 'r'))
    return undefined
  } catch (error) {
    return shortageOf(error as NodeJS.ErrnoException)
  }
}

function short(code: string, cause: Error | undefined): Error {
  const { errno } = process.getBuiltinModule('node:os').constants
  const what = code === 'ENOMEM' ? 'there is not enough memory' : 'too many files are open (ulimit -n, fs.file-max)'
  const message = `${code}: nsset could not load its binary: ${what}; the next call tries again`
  const number = -errno[code as keyof typeof errno]
  const [path] = cause?.message.split(': ') ?? []
  return createError({ code, message, errno: number, syscall: 'dlopen', ...(path?.startsWith('/') && { path }) })
}

function reasonOfNothing(here: string, targets: readonly string[]): string {
  const given = process.env['NAPI_RS_NATIVE_LIBRARY_PATH']
  if (given) return `nsset could not load its binary: NAPI_RS_NATIVE_LIBRARY_PATH is '${given}', which is no file`
  if (!PUBLISHED.has(process.arch)) return `nsset has no working binary for ${here}; it has to be built from source`
  const names = targets.map((target) => `nsset-${target}`)
  const missing = names.find(isMissing)
  return missing === undefined
    ? `nsset has no working binary for ${here}: ${names.join(' or ')} does not load, see the cause`
    : `nsset has no working binary for ${here}: the package ${missing} is missing; npm install --include=optional brings it`
}

function isMissing(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name)
    return false
  } catch {
    return true
  }
}

function unsupported(message: string): Error {
  return misuse('ERR_NSSET_UNSUPPORTED_PLATFORM', message)
}
