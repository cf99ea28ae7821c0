/** Named networks, created and then removed, one and a hundred in a row, with the peers that can. Root only. */
import { execFileSync } from 'node:child_process'
import { setTimeout as pass } from 'node:timers/promises'
import { netns } from 'nsset'
import { bareNameNetwork, bareUnnameNetwork } from '../bare.ts'
import { compare } from '../compare.ts'
import { microsecondsOf, type Sample } from '../measure.ts'
import { openGo } from '../peers/go.ts'
import { openNeslink } from '../peers/neslink.ts'
import { loadNns, type Nns } from '../peers/nns.ts'
import { runProgram } from '../peers/one-shot.ts'
import type { PeerProgram } from '../peers/program.ts'
import { openPython } from '../peers/python.ts'
import type { Row } from '../row.ts'

const PREFIX = `nsset-bench-${process.pid}`
const MANY = 100

type Programs = Record<'netns' | 'neslink' | 'pyroute2', PeerProgram | undefined>

export async function suite(): Promise<Row[]> {
  if (process.getuid?.() !== 0) return []
  await using go = await openGo()
  await using neslink = await openNeslink()
  await using python = await openPython()
  const programs: Programs = { netns: go, neslink, pyroute2: python }
  try {
    return [await inARow(1, programs), await inARow(MANY, programs), await withLoopback(loadNns())]
  } finally {
    const left = (await netns.list()).filter((name) => name.startsWith(PREFIX))
    for (const name of left) await netns.remove(name)
  }
}

function inARow(count: number, programs: Programs): Promise<Row> {
  const names = Array.from({ length: count }, (_, index) => `${PREFIX}-${index}`)
  const paths = names.map((name) => `${netns.directory}/${name}`)
  const ask = (peer: PeerProgram | undefined, operation: string) => {
    const request = { do: operation, times: 1, directory: netns.directory, prefix: PREFIX, inARow: count }
    return peer && settled(peer.sample(request), count)
  }
  const ours = async () => {
    for (const name of names) (await netns.create(name)).close()
    for (const name of names) await netns.remove(name)
  }
  const bare = () => {
    for (const path of paths) bareNameNetwork(path)
    for (const path of paths) bareUnnameNetwork(path)
  }
  return compare({
    name: `netns.create(), remove()${count === 1 ? '' : `, ${count} in a row`}`,
    unit: 'µs',
    ours: settled(() => microsecondsOf(ours), count),
    floor: { is: 'unshare(2) on a thread, mount(2), umount2(2)', sample: settled(() => microsecondsOf(bare), count) },
    peers: {
      netns: ask(programs.netns, 'netns.NewNamed'),
      neslink: ask(programs.neslink, 'NANewNsAt'),
      pyroute2: ask(programs.pyroute2, 'netns.create'),
      ...(count === 1
        ? { 'ip netns': settled(() => microsecondsOf(() => byIp(names)), count) }
        : { 'ip -batch': settled(() => microsecondsOf(() => byBatch(names)), count) }),
    },
    rounds: count === 1 ? 40 : 8,
    work: { series: 'netns', of: 'namespaces', amount: count },
    why: THREADS,
  })
}

const THREADS =
  'netns stays on one thread, and blocks it. `netns.create` and `remove` leave the event loop free: the home thread does ' +
  'the work, at the cost of a switch of threads in each direction. It also checks what the name is before it mounts and ' +
  'unmounts: 39 system calls for both. Most of the rest is the kernel, which creates the network, and waits in umount2(2).'

/** Measured once the kernel has freed the networks of the previous sample, asynchronously. */
function settled(sample: Sample, count: number): Sample {
  return async () => {
    await pass(20 + 3 * count)
    return sample()
  }
}

function byIp(names: readonly string[]): void {
  for (const name of names) runProgram('ip', 'netns', 'add', name)
  for (const name of names) runProgram('ip', 'netns', 'delete', name)
}

function byBatch(names: readonly string[]): void {
  const lines = [...names.map((name) => `netns add ${name}\n`), ...names.map((name) => `netns delete ${name}\n`)]
  execFileSync('ip', ['-batch', '-'], { input: lines.join(''), timeout: 30_000 })
}

/** As nns creates them. */
function withLoopback(nns: Nns | undefined): Promise<Row> {
  const name = `${PREFIX}-nns`
  const ours = async () => {
    ;(await netns.create(name, { loopback: true })).close()
    await netns.remove(name)
  }
  const theirs = async (library: Nns) => {
    await library.create(name)
    await library.del(name)
  }
  return compare({
    name: 'netns.create() with loopback, remove()',
    unit: 'µs',
    ours: settled(() => microsecondsOf(ours), 1),
    peers: { nns: nns && settled(() => microsecondsOf(() => theirs(nns)), 1) },
    rounds: 20,
  })
}
