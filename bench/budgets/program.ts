/** What is traced: a Node that has loaded the built package and nothing else does each operation, and marks the trace. */
import { accessSync } from 'node:fs'
import { setTimeout as pass } from 'node:timers/promises'
import { begin, END } from './marks.ts'
import { OPERATIONS, type Prepared } from './operations.ts'

/** The least of several looks is what counts: what others in the process do meanwhile only adds to it. */
const LOOKS = 3

/** In milliseconds: what an operation leaves to be done has been done by then. */
const SETTLED = 15

const isRoot = process.getuid?.() === 0

for (const [index, { isRoots, times, prepare }] of OPERATIONS.entries()) {
  if (isRoots && !isRoot) continue
  const operation = await prepare()
  // The first do more: they load, open and make what the others find.
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
    // It is not there, and the trace has it.
  }
}
