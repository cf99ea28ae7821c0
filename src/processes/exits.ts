import type { ExitReport } from '../../index.js'

type OnExit = (report: ExitReport) => void

const running = new Map<number, OnExit>()
let last = 0

/** @internal A number for a child, and who hears of its end. */
export function expectExit(onExit: OnExit): number {
  last = (last + 1) % 0xffffffff
  running.set(last, onExit)
  return last
}

/** @internal The child never started. */
export function forgetExit(child: number): void {
  running.delete(child)
}

/** @internal Called by the native side, once for each child. */
export function reportExit(report: ExitReport): void {
  const onExit = running.get(report.child)
  running.delete(report.child)
  onExit?.(report)
}
