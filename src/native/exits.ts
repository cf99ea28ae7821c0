import type { ExitReport } from '../../index.js'
import { expect, take, waitingFor } from './waiting.ts'

const children = waitingFor<ExitReport>('nsset.children')

/** Taken at load: tests replace the global one. */
const soon = setImmediate

/** @internal A number for a child, and who hears of its end. */
export function expectExit(onExit: (report: ExitReport) => void): number {
  return expect(children, onExit)
}

/** @internal The child never started. */
export function forgetExit(child: number): void {
  take(children, child)
}

/** @internal Called by the native side, once for each child. */
export function reportExit(report: ExitReport): void {
  const onExit = take(children, report.child)
  // What the program had written, and closed, is told first, as libuv has it: two immediates have a whole round of
  // reading between them.
  soon(() => soon(() => onExit?.(report)))
}
