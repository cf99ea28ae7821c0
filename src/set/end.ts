import type { NativeSet } from '../../index.js'
import { NamespaceError } from '../errors.ts'
import { onEnd } from '../native/exits.ts'

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
export async function endOf(native: NativeSet): Promise<void> {
  const ended = native.ended()
  if (ended === null) return
  await new Promise<void>((resolve, reject) => {
    const limit = setTimeout(() => reject(stillThere()), PATIENCE)
    onEnd(ended, () => {
      clearTimeout(limit)
      resolve()
    })
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
