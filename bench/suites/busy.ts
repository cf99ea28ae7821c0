/**
 * A busy machine: one processor, with two programs beside that never wait. What waits for another process must get its turn as
 * soon as a child of Node.js does; so `spawnSync` of Node.js, outside, is the peer.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Figures } from '../measure.ts'
import type { Row } from '../row.ts'

/** The measurements of the process that shares its processor, in microseconds. */
export type BusyFigures = Record<
  'unshareSync(user), close()' | "execFile('true') in user+net" | 'connect() in user+net' | 'spawnSync',
  Figures
>

const PEER = "Node's spawnSync('true')"

export async function suite(): Promise<Row[]> {
  const loops = [startLoop(), startLoop()]
  try {
    const { spawnSync: peer, ...ours } = await measure()
    return Object.entries(ours).flatMap(([name, figures]) => [
      row(`${name}, one busy processor`, figures, peer),
      row(`${name}, one busy processor, 95th percentile`, at95(figures), at95(peer)),
    ])
  } finally {
    for (const loop of loops) loop.kill('SIGKILL')
  }
}

function row(name: string, ours: Figures, peer: Figures): Row {
  return { name, unit: 'µs', ours, peers: { [PEER]: peer }, targets: [{ of: 'peer', name: PEER, most: 1 }] }
}

function at95({ p95, samples }: Figures): Figures {
  return { median: p95, p95, samples }
}

function startLoop(): ChildProcess {
  return spawn('taskset', ['-c', '0', 'sh', '-c', 'while :; do :; done'], { stdio: 'ignore' })
}

/** In a process of its own, all of whose threads and children are on that processor. */
async function measure(): Promise<BusyFigures> {
  const program = new URL('../busy-program.ts', import.meta.url).pathname
  const args = ['-c', '0', process.execPath, ...process.execArgv, program]
  const child = spawn('taskset', args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  return JSON.parse(line) as BusyFigures
}
