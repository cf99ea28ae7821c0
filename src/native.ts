import { createRequire } from 'node:module'
import type * as Native from '../index.js'
import { createError } from './errors.ts'
import { complaintAbout } from './native/binary-file.ts'
import { libc } from './native/libc.ts'
import { causeOf, type LoadFailure, loadError } from './native/load-failure.ts'

type Binding = typeof Native

let loaded: Binding | undefined
/** Why each location failed at the last attempt, in order. */
let failures: LoadFailure[] = []
/** The generated loader is a module: Node.js does not run it again after it has failed. */
let failureOfLoader: LoadFailure | undefined

// At import and not on first use: the addon starts threads when it is loaded, and must not do that inside a namespace.
tryToLoad()

function tryToLoad(): void {
  if (process.platform !== 'linux') return
  failures = []
  const native = load()
  if (native === undefined) return
  try {
    native.initialize(createError)
    loaded = native
  } catch (error) {
    failures.push(loadFailureOf('initialize', error))
  }
}

/**
 * This requires the binary and does not import it: a conditional import needs a top-level await, which would keep CommonJS
 * from requiring this package. The two usual locations come first, because the generated loader, which knows all of them, is
 * the slowest step here.
 */
function load(): Binding | undefined {
  const require = createRequire(import.meta.url)
  for (const location of locations()) {
    try {
      const path = require.resolve(location)
      if (path.endsWith('.node')) check(path)
      return require(path) as Binding
    } catch (error) {
      failures.push(loadFailureOf(location, error))
    }
  }
  // The generated loader would try the same files, without checking them first.
  if (causeOf(failures) !== undefined) return undefined
  if (failureOfLoader === undefined) {
    try {
      return require('../index.js') as Binding
    } catch (error) {
      failureOfLoader = loadFailureOf('../index.js', error)
    }
  }
  failures.push(failureOfLoader)
  return undefined
}

/** Throws like `require` for a damaged file, where `require` itself would end the process. */
function check(path: string): void {
  const complaint = complaintAbout(path)
  if (complaint !== undefined) throw Object.assign(new Error(`${path}: ${complaint}`), { code: 'ERR_DLOPEN_FAILED' })
}

function locations(): string[] {
  const given = process.env['NAPI_RS_NATIVE_LIBRARY_PATH']
  // A relative path starts at the generated loader, which is one level above.
  if (given !== undefined) return [given.startsWith('.') ? `../${given}` : given]
  return targets().flatMap((target) => [`../nsset.${target}.node`, `nsset-${target}`])
}

function loadFailureOf(location: string, error: unknown): LoadFailure {
  return { location, error: error as NodeJS.ErrnoException }
}

/** The names of the binaries for this process. There are several only if its C library could not be determined. */
function targets(): string[] {
  const here = libc()
  const libcs = here === undefined ? ['gnu', 'musl'] : [here]
  return libcs.map((each) => `${process.platform}-${process.arch}-${each}`)
}

/** @internal Returns the native binding, or throws an error with the cause. A call after a failure tries again. */
export function binding(): Binding {
  if (loaded === undefined) tryToLoad()
  if (loaded === undefined) throw loadError(failures, targets())
  return loaded
}
