import type { NativeSet } from '../../index.js'
import { NamespaceError } from '../errors.ts'
import { expectExit, forgetExit } from '../native/exits.ts'

/** In milliseconds: how long `await using` waits for the processes of a pid namespace after their SIGKILL. */
const PATIENCE = 5000

/** -errno of ETIMEDOUT. A constant, because node:os is not loaded otherwise. */
const ETIMEDOUT = -110

/** Read when this module is loaded, because tests replace the global ones. */
const { setTimeout, clearTimeout } = globalThis

/**
 * @internal Resolves when all processes of the pid namespace of a closed set have ended, and at once if closing the set
 * ended no pid namespace. The timer keeps the event loop alive until then.
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
      `ETIMEDOUT: timed out, waitid pid: ${PATIENCE} ms after SIGKILL a process in the pid namespace has not ended, ` +
      'or its parent or tracer outside of the namespace has not waited for it',
  })
}
