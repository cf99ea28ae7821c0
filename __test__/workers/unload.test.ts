/** The addon is loaded in Workers only and unloaded with them; what it started must survive that, or end with it. */
import { expect, test } from 'vitest'
import { askPlainNode } from '../setup/programs/plain-node.ts'
import { isRoot } from '../setup/sets/privilege.ts'

/** What a Worker does before it ends; the `pid` of a child that is left running is reported to the main thread. */
const LIVES = [
  // Closes everything.
  `const set = make(['uts']); set.close()`,
  // Leaves sets open, and the PID 1 of one of them.
  `globalThis.kept = [make(['uts', 'net']), make(['pid']), NamespaceSet.current().dup(), make(['ipc']).fds()]`,
  // Leaves a running child without a waiter.
  `const child = make(['uts']).spawn('sleep', ['60'], { stdio: 'ignore' })
   child.unref()
   parentPort.postMessage(child.pid)`,
  // Exits during an asynchronous call.
  `NamespaceSet.unshare(...given(['uts', 'pid'])).catch(() => 0); process.exit()`,
  // Is terminated while a child runs inside a pid namespace.
  `const child = make(['pid']).spawn('sleep', ['60'])
   child.on('exit', () => parentPort.postMessage('unexpected'))
   parentPort.postMessage('terminate me')`,
]

const PROGRAM = `
  import { readdirSync, readFileSync } from 'node:fs'
  import { Worker } from 'node:worker_threads'

  const LIVES = ${JSON.stringify(LIVES)}
  const heading = \`
    import { parentPort } from 'node:worker_threads'
    import { NamespaceSet } from 'nsset'
    const given = (kinds) => ${isRoot ? '[kinds]' : "[['user', ...kinds], { mapUser: 'root' }]"}
    const make = (kinds) => NamespaceSet.unshareSync(...given(kinds));\`
  const orphans = []

  async function live(index) {
    const worker = new Worker(heading + LIVES[index % LIVES.length], { eval: true })
    worker.on('message', (message) => {
      if (message === 'terminate me') worker.terminate()
      else orphans.push(message)
    })
    await new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject))
  }
  const threads = () => readdirSync('/proc/self/task').length
  const children = () => readdirSync('/proc').flatMap((pid) => {
    try {
      const stat = readFileSync('/proc/' + pid + '/stat', 'latin1')
      const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return Number(parent) === process.pid ? [pid + ' ' + state] : []
    } catch { return [] }
  })
  const settle = async (read, holds) => {
    for (let turn = 0; turn < 1_000 && !holds(read()); turn++) await new Promise((resolve) => setTimeout(resolve, 5))
    return read()
  }

  // One after another: the addon is unused between them.
  for (let index = 0; index < 10; index++) await live(index)
  const early = { threads: threads(), descriptors: readdirSync('/proc/self/fd').length }
  for (let index = 10; index < 100; index++) await live(index)
  // Several at a time.
  for (let index = 100; index < 200; index += 5) {
    await Promise.all([0, 1, 2, 3, 4].map((offset) => live(index + offset)))
  }
  const running = await settle(children, (found) => found.length === orphans.length)
  for (const pid of orphans) process.kill(pid, 'SIGKILL')
  const left = await settle(children, (found) => found.length === 0)
  await settle(threads, (count) => count <= early.threads)
  const late = { threads: threads(), descriptors: readdirSync('/proc/self/fd').length }
  console.log(JSON.stringify({ early, late, orphans: orphans.length, running: running.length, left }))`

interface Report {
  early: { threads: number; descriptors: number }
  late: { threads: number; descriptors: number }
  orphans: number
  running: number
  left: string[]
}

test('200 Workers start and end, and leave nothing', async () => {
  const { early, late, orphans, running, left } = await askPlainNode<Report>(PROGRAM)
  expect(orphans).toBe(40)
  // Running children survive, as those of node:child_process do; PID 1 of a set does not.
  expect(running).toBe(orphans)
  expect(left).toEqual([])
  expect(late.threads).toBe(early.threads)
  // A watched child costs one; those of the first ten have ended since.
  expect(late.descriptors).toBeLessThanOrEqual(early.descriptors)
}, 60_000)
