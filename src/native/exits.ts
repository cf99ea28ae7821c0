import type { ExitReport } from '../../index.js'
import { expect, take, waitingFor } from './waiting.ts'

const children = waitingFor<ExitReport>('nsset.children')

/** Read when this module is loaded, because tests replace the global one. */
const soon = setImmediate

/** @internal Registers a callback for the end of a child. Returns the number that identifies it to the native side. */
export function expectExit(onExit: (report: ExitReport) => void): number {
  return expect(children, onExit)
}

/** @internal Removes the callback of a child that did not start. */
export function forgetExit(child: number): void {
  take(children, child)
}

/** @internal Called by the native side once for each child. */
export function reportExit(report: ExitReport): void {
  const onExit = take(children, report.child)
  // Two immediates leave a whole turn of the event loop for reading, so that the program's output and the end of its streams
  // are reported first, as with libuv.
  soon(() => soon(() => onExit?.(report)))
}
