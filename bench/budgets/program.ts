/** The traced program: Node.js with the built package only runs each operation, and marks the trace. */
import { accessSync } from 'node:fs'
import { setTimeout as pass } from 'node:timers/promises'
import { begin, END } from './marks.ts'
import { OPERATIONS, type Prepared } from './operations.ts'

/** The minimum of several runs counts: other work in the process only adds to it. */
const LOOKS = 3

/** In milliseconds: deferred work of an operation is done by then. */
const SETTLED = 15

const isRoot = process.getuid?.() === 0

for (const [index, { isRoots, times, prepare }] of OPERATIONS.entries()) {
  if (isRoots && !isRoot) continue
  const operation = await prepare()
  // The first ones do more: they load, open and create what later ones reuse.
  await repeat(operation, times)
  for (let look = 0; look < LOOKS; look += 1) {
    for (const count of [times, 2 * times]) {
      await pass(SETTLED)
      mark(begin(index, count))
      await repeat(operation, count)
      await pass(SETTLED)
      mark(END)
    }
  }
  await operation.close?.()
}

async function repeat({ once }: Prepared, times: number): Promise<void> {
  for (let index = 0; index < times; index += 1) {
    const done = once()
    if (done instanceof Promise) await done
  }
}

function mark(path: string): void {
  try {
    accessSync(path)
  } catch {
    // The file does not exist, and the trace has the call.
  }
}
