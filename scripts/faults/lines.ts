/** Lines of JSON on standard input and output, without a descriptor or a turn of the event loop of their own. */
import { readSync, writeSync } from 'node:fs'

export function printLine(line: unknown): void {
  writeSync(1, `${JSON.stringify(line)}\n`)
}

/** Waits for a line; ends the process where there are no more. */
export function readLine(): string {
  const bytes: number[] = []
  const byte = Buffer.alloc(1)
  for (;;) {
    if (readSync(0, byte) === 0) process.exit(0)
    if (byte[0] === 10) return Buffer.from(bytes).toString()
    bytes.push(byte[0] ?? 0)
  }
}
