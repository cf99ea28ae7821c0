import { createRequire } from 'node:module'
import type * as Native from '../index.js'
import { createError, misuse } from './errors.ts'
import { libc } from './libc.ts'
import { reportAnswer } from './network/answers.ts'
import { reportExit } from './processes/exits.ts'

type Binding = typeof Native

/** The processors, as Node calls them, for which there are packages with a binary. */
const PUBLISHED = new Set(['arm64', 'x64'])

let loaded: Binding | undefined
let failure: unknown

// At once, not on first use: what the addon starts at load must not be started from inside a namespace.
if (process.platform === 'linux') {
  try {
    loaded = load()
    loaded.initialize(createError, reportExit, reportAnswer)
  } catch (error) {
    failure = error
  }
}

/**
 * Required and not imported: an import could not be left out on other systems without a top-level await, which would
 * keep CommonJS from requiring this package. The two usual places come first, because the generated loader, which knows
 * them all, takes longer than all else here.
 */
function load(): Binding {
  const require = createRequire(import.meta.url)
  if (process.env['NAPI_RS_NATIVE_LIBRARY_PATH'] === undefined) {
    for (const target of targets()) {
      for (const place of [`../nsset.${target}.node`, `nsset-${target}`]) {
        try {
          return require(place) as Binding
        } catch {
          // The generated loader tries again, and says what was wrong.
        }
      }
    }
  }
  return require('../index.js') as Binding
}

/** The names of the binaries for this process; there is more than one only where its C library cannot be told. */
function targets(): string[] {
  const here = libc()
  const libcs = here === undefined ? ['gnu', 'musl'] : [here]
  return libcs.map((each) => `${process.platform}-${process.arch}-${each}`)
}

/** @internal The native binding, or an error that says why there is none. */
export function binding(): Binding {
  if (loaded !== undefined) return loaded
  const error = misuse('ERR_NSSET_UNSUPPORTED_PLATFORM', reason())
  if (failure !== undefined) error.cause = failure
  throw error
}

function reason(): string {
  const here = `${process.platform}-${process.arch}`
  if (process.platform !== 'linux') return `nsset needs Linux, and this is ${here}`
  if (!PUBLISHED.has(process.arch)) return `nsset has no working binary for ${here}; it has to be built from source`
  const names = targets().map((target) => `nsset-${target}`)
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
