import { binding } from './native.ts'

/** Shared by every copy of this module in an environment: the native side has one line that holds the loop. */
interface Holders {
  count: number
}

const KEY = Symbol.for('nsset.holders')
const shared = globalThis as { [KEY]?: Holders }

const holders: Holders = shared[KEY] ?? { count: 0 }
shared[KEY] = holders

/** @internal Keeps the event loop alive until `release` was called as often. */
export function hold(): void {
  holders.count += 1
  if (holders.count === 1) binding().keepAlive(true)
}

/** @internal */
export function release(): void {
  holders.count -= 1
  if (holders.count === 0) binding().keepAlive(false)
}
