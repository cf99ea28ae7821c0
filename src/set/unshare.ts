import type { NativeCanceller, NativeSet, NativeUnshareOptions } from '../../index.js'
import type { Kinds } from '../namespace-kind.ts'
import { ask } from '../native/ask.ts'
import { binding } from '../native.ts'
import { parseKinds } from '../validate/kinds.ts'
import { parseUnshareOptions, type UnshareOptions } from '../validate/unshare-options.ts'

/**
 * @internal Makes the namespaces on libuv's pool, until it is aborted; where the base's inhabitants may hold it up,
 * on a thread for which only that base waits.
 */
export async function unshare(base: NativeSet | undefined, kinds: Kinds, options?: UnshareOptions): Promise<NativeSet> {
  const native = binding()
  const mask = parseKinds(kinds)
  const [parsed, signal] = parseUnshareOptions(options)
  const make = (canceller?: NativeCanceller) =>
    base?.goesInside(mask) ? unshareBelow(base, mask, parsed, canceller) : native.unshare(base, mask, parsed, canceller)
  if (signal === undefined) return make()
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

async function unshareBelow(
  base: NativeSet,
  mask: number,
  options: NativeUnshareOptions,
  canceller?: NativeCanceller,
): Promise<NativeSet> {
  let request = 0
  const { failure } = await ask((id) => {
    request = id
    base.unshareBelow(id, mask, options, canceller)
  })
  if (failure !== undefined) throw failure
  return binding().takeMade(request)
}
