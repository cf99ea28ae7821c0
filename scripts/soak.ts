/**
 * Makes and lets go, over and over, and shows that nothing grows: `npm run soak -- [--share 0.1]`, where the share is
 * of the full numbers of cycles. As an ordinary user only what it may do is done.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { NamespaceSet } from 'nsset'

interface Held {
  descriptors: number
  threads: number
  children: number
  mounts: number
  megabytes: number
}

const isRoot = process.getuid?.() === 0
const { values } = parseArgs({ options: { share: { type: 'string', default: '1' } } })
const share = Number(values.share)
if (!(share > 0 && share <= 1)) throw new RangeError(`--share must be over 0 and at most 1, not ${values.share}`)

const maps = {
  uidMaps: [{ containerId: 0, hostId: process.getuid?.() ?? 0, size: 1 }],
  gidMaps: [{ containerId: 0, hostId: process.getgid?.() ?? 0, size: 1 }],
}
const base = NamespaceSet.unshareSync('user', maps)
const made = isRoot ? NamespaceSet.unshareSync(['net', 'uts']) : base.dup()

const cycles: [name: string, count: number, cycle: () => unknown][] = [
  ["unshareSync(['uts', 'ipc'])", 10_000, () => (isRoot ? NamespaceSet : base).unshareSync(['uts', 'ipc']).close()],
  ["unshareSync('user', maps)", 10_000, () => NamespaceSet.unshareSync('user', maps).close()],
  ["unshareSync('net')", 2_000, () => (isRoot ? NamespaceSet : base).unshareSync('net').close()],
  ['dup()', 10_000, () => made.dup().close()],
  ['execFile()', 500, () => made.execFile('true')],
  ['spawn(), aborted at random', 5_000, spawnAndAbort],
]
if (isRoot) cycles.push(['do()', 10_000, () => made.do(() => undefined)])

for (const [name, count, cycle] of cycles) {
  const times = Math.max(10, Math.round(count * share))
  // What is filled once and kept (caches, the heap's first growth) is not what is looked for.
  for (let index = 0; index < Math.min(200, times); index += 1) await cycle()
  const before = await held()
  for (let index = 0; index < times; index += 1) await cycle()
  const after = await held()
  const grown = (Object.keys(before) as (keyof Held)[]).filter((what) => after[what] > before[what] + slack(what))
  const verdict =
    grown.length === 0 ? 'flat' : `GREW: ${grown.map((what) => `${what} ${before[what]} → ${after[what]}`)}`
  console.log(`${name.padEnd(30)}${String(times).padStart(6)} times  ${JSON.stringify(after)}  ${verdict}`)
  if (grown.length > 0) process.exitCode = 1
}

/** A program with pipes, aborted before it starts, at once, or within three milliseconds, when it may have ended. */
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

/** Memory breathes, by as much with thousands of `child_process.spawn`; everything else is exact. */
function slack(what: keyof Held): number {
  return what === 'megabytes' ? 32 : 0
}

async function held(): Promise<Held> {
  // Descriptors of sockets that were closed, and memory, go in their own time.
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
