import { binding } from '../native.ts'
import { shared } from './shared.ts'

/** Shared, since the binding has one line that holds the loop. */
const holders = () => shared('nsset.holders', () => ({ count: 0 }))

/** @internal Keeps the event loop alive until `release` was called as often. */
export function hold(): void {
  const native = binding()
  const all = holders()
  all.count += 1
  if (all.count === 1) native.keepAlive(true)
}

/** @internal */
export function release(): void {
  const all = holders()
  all.count -= 1
  if (all.count === 0) binding().keepAlive(false)
}
