import type { NativeCanceller, NativeSet } from '../../index.js'
import type { Kinds } from '../namespace-kind.ts'
import { settled } from '../native/settled.ts'
import { binding } from '../native.ts'
import { parseKinds } from '../validate/kinds.ts'
import { parseUnshareOptions, type UnshareOptions } from '../validate/unshare-options.ts'

/** @internal Creates the namespaces on another thread. An abort signal cancels this. */
export async function unshare(base: NativeSet | undefined, kinds: Kinds, options?: UnshareOptions): Promise<NativeSet> {
  const native = binding()
  const mask = parseKinds(kinds)
  const { signal, ...parsed } = parseUnshareOptions(options)
  const make = (canceller?: NativeCanceller) => settled(native.unshare(base, mask, parsed, canceller))
  if (signal === undefined) return await make()
  signal.throwIfAborted()
  const canceller = new native.NativeCanceller()
  const cancel = () => canceller.cancel()
  signal.addEventListener('abort', cancel, { once: true })
  try {
    const made = await make(canceller)
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
