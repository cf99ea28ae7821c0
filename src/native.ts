import { createRequire } from 'node:module'
import type * as Native from '../index.js'
import { createError, misuse } from './errors.ts'
import { reportAnswer } from './network/answers.ts'
import { reportExit } from './processes/exits.ts'

type Binding = typeof Native

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
  const target = `linux-${process.arch}-gnu`
  if (process.env['NAPI_RS_NATIVE_LIBRARY_PATH'] === undefined) {
    for (const place of [`../nsset.${target}.node`, `nsset-${target}`]) {
      try {
        return require(place) as Binding
      } catch {
        // The generated loader tries again, and says what was wrong.
      }
    }
  }
  return require('../index.js') as Binding
}

/** @internal The native binding, or an error that says why there is none. */
export function binding(): Binding {
  if (loaded !== undefined) return loaded
  const here = `${process.platform}-${process.arch}`
  const why =
    process.platform === 'linux'
      ? `nsset has no working binary for ${here} here; reinstall it with optional dependencies, or build it from source`
      : `nsset needs Linux, and this is ${here}`
  const error = misuse('ERR_NSSET_UNSUPPORTED_PLATFORM', why)
  if (failure !== undefined) error.cause = failure
  throw error
}
