import type { NativeSet } from '../../index.js'
import { NamespaceError } from '../errors.ts'
import { expectExit, forgetExit } from '../native/exits.ts'

/** In milliseconds: so long all that runs in a pid namespace has, from its SIGKILL on, to be gone. */
const PATIENCE = 5000

/** -errno of ETIMEDOUT: node:os would have to be loaded for it. */
const ETIMEDOUT = -110

/** Taken at load: tests replace the global ones. */
const { setTimeout, clearTimeout } = globalThis

/**
 * @internal Resolves when the pid namespace that ended with a closed set is gone, and all that ran inside with it; at once
 * where none did. The timer keeps the event loop alive meanwhile.
 */
export function endOf(native: NativeSet): Promise<void> {
  return new Promise((resolve, reject) => {
    let limit: NodeJS.Timeout | undefined
    const number = expectExit(() => {
      clearTimeout(limit)
      resolve()
    })
    if (!native.reportEnd(number)) {
      forgetExit(number)
      resolve()
      return
    }
    limit = setTimeout(() => {
      forgetExit(number)
      reject(stillThere())
    }, PATIENCE)
  })
}

function stillThere(): NamespaceError {
  return new NamespaceError({
    code: 'ETIMEDOUT',
    errno: ETIMEDOUT,
    syscall: 'waitid',
    kind: 'pid',
    message:
      `ETIMEDOUT: timed out, waitid pid: after ${PATIENCE} ms something in the pid namespace has not ended, ` +
      'or its parent or tracer outside of it has not waited for it',
  })
}
