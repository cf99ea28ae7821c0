import type { ExitReport } from '../../index.js'

type OnExit = (report: ExitReport) => void

/** Shared by every copy of this module in an environment (bundlers, module registries of test runners): the native side
 * has one line to it. */
interface Children {
  running: Map<number, OnExit>
  last: number
}

const KEY = Symbol.for('nsset.children')
const shared = globalThis as { [KEY]?: Children }

/** @internal */
export const children: Children = shared[KEY] ?? { running: new Map(), last: 0 }
shared[KEY] = children

/** Taken at load: tests replace the global one. */
const soon = setImmediate

/** @internal A number for a child, and who hears of its end. */
export function expectExit(onExit: OnExit): number {
  children.last = (children.last + 1) % 0xffffffff
  children.running.set(children.last, onExit)
  return children.last
}

/** @internal The child never started. */
export function forgetExit(child: number): void {
  children.running.delete(child)
}

/** @internal Called by the native side, once for each child. */
export function reportExit(report: ExitReport): void {
  const onExit = children.running.get(report.child)
  children.running.delete(report.child)
  // What the program had written, and closed, is told first, as libuv has it: two immediates have a whole round of
  // reading between them.
  soon(() => soon(() => onExit?.(report)))
}
