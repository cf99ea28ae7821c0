/** Lines of JSON on standard input and output, without additional descriptors or turns of the event loop. */
import { readSync, writeSync } from 'node:fs'

export function printLine(line: unknown): void {
  writeSync(1, `${JSON.stringify(line)}\n`)
}

/** Waits for a line; ends the process at the end of the input. */
export function readLine(): string {
  const bytes: number[] = []
  const byte = Buffer.alloc(1)
  for (;;) {
    if (readSync(0, byte) === 0) process.exit(0)
    if (byte[0] === 10) return Buffer.from(bytes).toString()
    bytes.push(byte[0] ?? 0)
  }
}
