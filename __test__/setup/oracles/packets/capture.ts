/** The packets on a network's links, as captured by tcpdump(8). */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { NamespaceSet } from 'nsset'

const TIME_LIMIT = 30_000
const PATIENCE = 10_000

export interface Capture {
  /** Waits until a line contains these words, and returns all lines so far: all earlier packets are among them. */
  until(words: string): Promise<string[]>
  /** Throws if it has missed packets. */
  end(): Promise<void>
}

/** Captures on all links of a set's network, or of this process' own, which requires root. */
export async function capture(set: NamespaceSet | undefined, filter: string): Promise<Capture> {
  // `-Z`: a user namespace has no other user to which tcpdump could change. `-s`: its buffer holds seven whole packets.
  const words = ['-i', 'any', '-nn', '-l', '--immediate-mode', '-s', '128', '-Z', 'root', filter]
  const options = { stdio: ['ignore', 'pipe', 'pipe'] as ['ignore', 'pipe', 'pipe'], timeout: TIME_LIMIT }
  const child = set === undefined ? spawn('tcpdump', words, options) : set.spawn('tcpdump', words, options)
  const [out, err] = [collect(child.stdout), collect(child.stderr)]
  await err.until('listening on')
  return {
    until: async (words) => {
      await out.until(words)
      return out.text.split('\n').filter((line) => line !== '')
    },
    end: async () => {
      await end(child)
      if (!/^0 packets dropped by kernel/m.test(err.text)) throw new Error(`tcpdump has missed packets: ${err.text}`)
    },
  }
}

async function end(child: ChildProcess): Promise<void> {
  const closed = once(child, 'close')
  if (child.kill('SIGINT')) await closed
}

interface Collected {
  text: string
  until(words: string): Promise<void>
}

function collect(stream: NodeJS.ReadableStream): Collected {
  const collected: Collected = {
    text: '',
    until: (words) =>
      waitFor(
        () => collected.text.includes(words),
        words,
        () => collected.text,
      ),
  }
  stream.on('data', (chunk) => (collected.text += String(chunk)))
  return collected
}

async function waitFor(isSo: () => boolean, words: string, output: () => string): Promise<void> {
  const limit = Date.now() + PATIENCE
  while (!isSo()) {
    if (Date.now() > limit) throw new Error(`tcpdump does not print '${words}', but: ${output()}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
