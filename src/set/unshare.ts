import type { NativeCanceller, NativeSet } from '../../index.js'
import { type Kinds, NS } from '../namespace-kind.ts'
import { settled } from '../native/settled.ts'
import { binding } from '../native.ts'
import { UNSHARES } from '../reports.ts'
import { bare, bareCopy, type Plain } from '../validate/fields.ts'
import { parseKinds } from '../validate/kinds.ts'
import {
  parseUnshareOptions,
  parseUnshareSyncOptions,
  type UnshareOptions,
  type UnshareSyncOptions,
} from '../validate/unshare-options.ts'

function kindsOf(mask: number): string[] {
  return Object.entries(NS)
    .filter(([, flag]) => (mask & flag) !== 0)
    .map(([name]) => name.toLowerCase())
}

/** @internal Creates the namespaces, and blocks until that is done. */
export function unshareSync(base: NativeSet | undefined, kinds: Kinds, options?: UnshareSyncOptions): NativeSet {
  const native = binding()
  const mask = parseKinds(kinds)
  const parsed = parseUnshareSyncOptions(options)
  const report = UNSHARES.begin()
  try {
    const made = native.unshareSync(base, mask, ...crossing(parsed))
    report?.({ set: `NamespaceSet(${made.ids()})`, kinds: kindsOf(mask) }, undefined)
    return made
  } catch (error) {
    report?.({ set: '', kinds: kindsOf(mask) }, error)
    throw error
  }
}

/** @internal Creates the namespaces on another thread. An abort signal cancels this. */
export async function unshare(base: NativeSet | undefined, kinds: Kinds, options?: UnshareOptions): Promise<NativeSet> {
  const native = binding()
  const mask = parseKinds(kinds)
  const { signal, ...parsed } = parseUnshareOptions(options)
  const report = UNSHARES.begin()
  try {
    const made = await cancellable(signal, (canceller) =>
      settled(native.unshare(base, mask, ...crossing(parsed), canceller)),
    )
    report?.({ set: `NamespaceSet(${made.ids()})`, kinds: kindsOf(mask) }, undefined)
    return made
  } catch (error) {
    report?.({ set: '', kinds: kindsOf(mask) }, error)
    throw error
  }
}

/** Returns options as they cross to the native side: one text of mounts crosses faster than many objects. */
function crossing(options: Plain): [options: object, mounts: string | undefined] {
  const { mounts, ...others } = Object.assign(bare(), options)
  const text = Array.isArray(mounts) && !mounts.some(hasBytes) ? JSON.stringify(mounts) : undefined
  // Half of a surrogate pair, or what looks like one: no text of UTF-8 has it.
  const isText = text !== undefined && !text.includes('\\ud')
  return isText ? [bareCopy(others), text] : [bareCopy(options), undefined]
}

function hasBytes(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return Buffer.isBuffer(value) || Object.values(value).some(hasBytes)
}

/** @internal Creates a set, unless the signal is aborted before it is complete. */
export async function cancellable(
  signal: AbortSignal | undefined,
  make: (canceller?: NativeCanceller) => Promise<NativeSet>,
): Promise<NativeSet> {
  if (signal === undefined) return await make()
  signal.throwIfAborted()
  const canceller = new (binding().NativeCanceller)()
  const cancel = () => canceller.cancel()
  signal.addEventListener('abort', cancel, { once: true })
  let made: NativeSet
  try {
    made = await make(canceller)
  } catch (error) {
    signal.throwIfAborted()
    throw error
  } finally {
    signal.removeEventListener('abort', cancel)
    canceller.release()
  }
  if (signal.aborted) await discard(made, signal.reason)
  return made
}

/** Closes a set that was complete after the abort, with its temporary names. */
async function discard(made: NativeSet, reason: unknown): Promise<never> {
  try {
    await made.removeNames()
  } catch (notRemoved) {
    throw Object.assign(notRemoved as Error, { cause: reason })
  } finally {
    made.close()
  }
  throw reason
}
