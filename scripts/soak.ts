/**
 * Creates and closes repeatedly, and checks that nothing grows: `npm run soak -- [--share 0.1]`, where the share is
 * of the full number of cycles. An ordinary user runs only the cycles without root.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { NamespaceSet, netns } from 'nsset'

interface Held {
  descriptors: number
  threads: number
  children: number
  mounts: number
  /** Named network namespaces of this process. */
  names: number
  megabytes: number
}

interface Cycle {
  name: string
  /** The number of cycles in a full run. */
  count: number
  /** How many run at the same time. Default: 1. */
  atOnce?: number
  run: () => unknown
}

const isRoot = process.getuid?.() === 0
const { values } = parseArgs({ options: { share: { type: 'string', default: '1' } } })
const share = Number(values.share)
if (!(share > 0 && share <= 1)) throw new RangeError(`--share must be over 0 and at most 1, not ${values.share}`)

const maps = {
  uidMaps: [{ containerId: 0, hostId: process.getuid?.() ?? 0, size: 1 }],
  gidMaps: [{ containerId: 0, hostId: process.getgid?.() ?? 0, size: 1 }],
}
const NAMES = `soak-${process.pid}-`
let lastName = 0
const base = NamespaceSet.unshareSync('user', maps)
const made = isRoot ? NamespaceSet.unshareSync(['net', 'uts']) : base.dup()

const cycles: Cycle[] = [
  {
    name: "unshareSync(['uts', 'ipc'])",
    count: 10_000,
    run: () => (isRoot ? NamespaceSet : base).unshareSync(['uts', 'ipc']).close(),
  },
  { name: "unshareSync('user', maps)", count: 10_000, run: () => NamespaceSet.unshareSync('user', maps).close() },
  { name: "unshareSync('net')", count: 2_000, run: () => (isRoot ? NamespaceSet : base).unshareSync('net').close() },
  { name: 'dup()', count: 10_000, run: () => made.dup().close() },
  { name: 'execFile()', count: 500, run: () => made.execFile('true') },
  { name: 'spawn(), aborted at random', count: 5_000, run: spawnAndAbort },
  isRoot
    ? { name: 'named networks, with a veth', count: 2_000, atOnce: 4, run: cableByName }
    : { name: "['user', 'net'], with a veth", count: 2_000, atOnce: 4, run: cableOfUser },
]
if (isRoot) cycles.push({ name: 'do()', count: 10_000, run: () => made.do(() => undefined) })

for (const cycle of cycles) {
  const times = Math.max(10, Math.round(cycle.count * share))
  // Permanent allocations (caches, the first growth of the heap) are excluded.
  await repeat(cycle, Math.min(200, times))
  const before = await held()
  const begin = performance.now()
  await repeat(cycle, times)
  const seconds = ((performance.now() - begin) / 1_000).toFixed(1)
  let after = await held()
  if (grownSince(before, after).length > 0) {
    // Threads without work end after a second, and helpers after a few.
    await new Promise((resolve) => setTimeout(resolve, 4_500))
    after = await held()
  }
  const grown = grownSince(before, after)
  const verdict =
    grown.length === 0 ? 'flat' : `GREW: ${grown.map((what) => `${what} ${before[what]} → ${after[what]}`)}`
  const more = after.megabytes - before.megabytes
  const figures = `${seconds.padStart(6)} s  ${JSON.stringify(after)}, ${more} MB more`
  console.log(`${cycle.name.padEnd(30)}${String(times).padStart(6)} times  ${figures}  ${verdict}`)
  if (grown.length > 0) process.exitCode = 1
}

async function repeat({ run, atOnce = 1 }: Cycle, times: number): Promise<void> {
  let left = times
  const worker = async () => {
    while (left > 0) {
      left -= 1
      await run()
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}

async function cableByName(): Promise<void> {
  lastName += 1
  const name = `${NAMES}${lastName}`
  using set = await netns.create(name)
  try {
    await addCable(set)
  } finally {
    await netns.remove(name)
  }
}

async function cableOfUser(): Promise<void> {
  using set = await NamespaceSet.unshare(['user', 'net'], { mapUser: 'root' })
  await addCable(set)
}

async function addCable(set: NamespaceSet): Promise<void> {
  await set.network.links.add({ kind: 'veth', name: 'a', up: true, peer: { name: 'b', up: true } })
}

/** A program with pipes, aborted before it starts, immediately, or within three milliseconds, maybe after its exit. */
async function spawnAndAbort(): Promise<void> {
  const controller = new AbortController()
  const moment = Math.random() * 4 - 1
  if (moment < -0.5) controller.abort()
  const child = made.spawn('sh', ['-c', 'read line; echo "$line"'], {
    signal: controller.signal,
    killSignal: 'SIGKILL',
  })
  const closed = new Promise((resolve) => child.once('close', resolve))
  child.on('error', () => undefined)
  child.stdin.on('error', () => undefined)
  child.stdin.end('line\n')
  child.stdout.resume()
  child.stderr.resume()
  if (moment >= 0) await new Promise((resolve) => setTimeout(resolve, moment))
  controller.abort()
  await closed
}

function grownSince(before: Held, after: Held): (keyof Held)[] {
  return (Object.keys(before) as (keyof Held)[]).filter((what) => after[what] > before[what] + slack(what))
}

/** Memory fluctuates, as much as with thousands of `child_process.spawn`; everything else is exact. */
function slack(what: keyof Held): number {
  return what === 'megabytes' ? 32 : 0
}

async function held(): Promise<Held> {
  // Closed sockets and memory are freed asynchronously.
  for (let round = 0; round < 3; round += 1) {
    globalThis.gc?.()
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  const children = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && parentOf(name) === process.pid)
  return {
    descriptors: readdirSync('/proc/self/fd').length,
    threads: readdirSync('/proc/self/task').length,
    children: children.length,
    mounts: readFileSync('/proc/self/mountinfo', 'latin1').split('\n').length,
    names: (await netns.list()).filter((name) => name.startsWith(NAMES)).length,
    megabytes: Math.round(process.memoryUsage().rss / 1e6),
  }
}

function parentOf(pid: string): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  } catch {
    return undefined
  }
}
