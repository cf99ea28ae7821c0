import type { NativeSet } from '../index.js'
import { parseKinds } from './kinds.ts'
import type { Kinds } from './namespace-kind.ts'
import { binding } from './native.ts'
import { parseSignal } from './options.ts'
import { parseUnshareOptions, type UnshareOptions } from './unshare-options.ts'

/** @internal Makes the namespaces on libuv's pool, for as long as nobody aborts it. */
export async function unshare(base: NativeSet | undefined, kinds: Kinds, options?: UnshareOptions): Promise<NativeSet> {
  const native = binding()
  const mask = parseKinds(kinds)
  const parsed = parseUnshareOptions(options)
  const signal = parseSignal(options?.signal)
  if (signal === undefined) return native.unshare(base, mask, parsed)
  signal.throwIfAborted()
  const canceller = new native.NativeCanceller()
  const cancel = () => canceller.cancel()
  signal.addEventListener('abort', cancel, { once: true })
  try {
    const made = await native.unshare(base, mask, parsed, canceller)
    if (signal.aborted) made.close()
    signal.throwIfAborted()
    return made
  } catch (error) {
    signal.throwIfAborted()
    throw error
  } finally {
    signal.removeEventListener('abort', cancel)
    canceller.release()
  }
}
