import { binding } from '../native.ts'
import { children } from './exits.ts'

/** @internal Keeps the event loop alive until `release` was called as often. */
export function hold(): void {
  children.holders += 1
  if (children.holders === 1) binding().keepAlive(true)
}

/** @internal */
export function release(): void {
  children.holders -= 1
  if (children.holders === 0) binding().keepAlive(false)
}
