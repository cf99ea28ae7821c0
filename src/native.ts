import { createRequire } from 'node:module'
import type * as Native from '../index.js'
import { createError } from './errors.ts'
import { complaintAbout } from './native/binary-file.ts'
import { libc } from './native/libc.ts'
import { causeOf, explain, type Refusal } from './native/load-failure.ts'

type Binding = typeof Native

let loaded: Binding | undefined
/** What was wrong with each place at the last attempt, in order. */
let refusals: Refusal[] = []
/** The generated loader is a module: what it threw once it throws again. */
let refusedByLoader: Refusal | undefined

// At once, not on first use: what the addon starts at load must not be started from inside a namespace.
tryToLoad()

function tryToLoad(): void {
  if (process.platform !== 'linux') return
  refusals = []
  const native = load()
  if (native === undefined) return
  try {
    native.initialize(createError)
    loaded = native
  } catch (error) {
    refusals.push(refusalOf('initialize', error))
  }
}

/**
 * Required and not imported: an import could not be left out on other systems without a top-level await, which would
 * keep CommonJS from requiring this package. The two usual places come first, because the generated loader, which knows
 * them all, takes longer than all else here.
 */
function load(): Binding | undefined {
  const require = createRequire(import.meta.url)
  for (const place of places()) {
    try {
      const path = require.resolve(place)
      if (path.endsWith('.node')) check(path)
      return require(path) as Binding
    } catch (error) {
      refusals.push(refusalOf(place, error))
    }
  }
  // It would try the same files, and does not look at them before.
  if (causeOf(refusals) !== undefined) return undefined
  if (refusedByLoader === undefined) {
    try {
      return require('../index.js') as Binding
    } catch (error) {
      refusedByLoader = refusalOf('../index.js', error)
    }
  }
  refusals.push(refusedByLoader)
  return undefined
}

/** As `require` would, for what that does not survive. */
function check(path: string): void {
  const complaint = complaintAbout(path)
  if (complaint !== undefined) throw Object.assign(new Error(`${path}: ${complaint}`), { code: 'ERR_DLOPEN_FAILED' })
}

function places(): string[] {
  const given = process.env['NAPI_RS_NATIVE_LIBRARY_PATH']
  // Relative to the generated loader, which is one level above.
  if (given !== undefined) return [given.startsWith('.') ? `../${given}` : given]
  return targets().flatMap((target) => [`../nsset.${target}.node`, `nsset-${target}`])
}

function refusalOf(place: string, error: unknown): Refusal {
  return { place, error: error as NodeJS.ErrnoException }
}

/** The names of the binaries for this process; there is more than one only where its C library cannot be told. */
function targets(): string[] {
  const here = libc()
  const libcs = here === undefined ? ['gnu', 'musl'] : [here]
  return libcs.map((each) => `${process.platform}-${process.arch}-${each}`)
}

/** @internal The native binding, or an error that says why there is none. What failed once may work now. */
export function binding(): Binding {
  if (loaded === undefined) tryToLoad()
  if (loaded === undefined) throw explain(refusals, targets())
  return loaded
}
