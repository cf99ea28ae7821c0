import type { NativeSet } from '../../index.js'
import { NamespaceError } from '../errors.ts'
import { onEnd } from '../processes/exits.ts'

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
      `ETIMEDOUT: timed out, waitid pid: after ${PATIENCE} ms something in the pid namespace has not ended, ` +
      'or its parent or tracer outside of it has not waited for it',
  })
}
