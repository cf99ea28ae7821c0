import { binding } from '../native.ts'

let holders = 0

/** @internal Keeps the event loop alive until `release` was called as often. */
export function hold(): void {
  holders += 1
  if (holders === 1) binding().keepAlive(true)
}

/** @internal */
export function release(): void {
  holders -= 1
  if (holders === 0) binding().keepAlive(false)
}
