/** A file system that does not answer: it holds up the call, and neither the event loop, other files nor the end of Node. */
import { accessSync, constants } from 'node:fs'
import { NamespaceSet } from 'nsset'
import { afterAll, expect, test } from 'vitest'
import type { CProgram } from '../setup/c-programs/c-program.ts'
import { compileHoldup, type Holdup, startHoldup } from '../setup/c-programs/holdup.ts'
import { askPlainNode, runPlainNode } from '../setup/programs/plain-node.ts'

const program: CProgram | undefined = compileHoldup()
afterAll(() => program?.[Symbol.dispose]())

/** Why this cannot be tried here; undefined where it can. */
function missing(): string | undefined {
  if (program === undefined) return 'needs a C compiler, cc'
  if (process.getuid?.() !== 0) return 'only root reaches the files of another mount namespace'
  try {
    accessSync('/dev/fuse', constants.R_OK | constants.W_OK)
    return undefined
  } catch {
    return 'needs /dev/fuse, to read and to write'
  }
}

const reason = missing()
if (reason !== undefined) test.skip(`files that hang: ${reason}`)
const whereFilesHang = test.skipIf(reason !== undefined)

interface HungDirectory extends AsyncDisposable {
  readonly path: string
  readonly holdup: Holdup
}

/** A directory below which nothing answers until the program that holds it up is killed. */
async function hungDirectory(): Promise<HungDirectory> {
  const set = NamespaceSet.unshareSync('mnt')
  const holdup = await startHoldup(program as CProgram, set, 'files')
  const end = async () => {
    await holdup[Symbol.asyncDispose]()
    set.close()
  }
  return { path: `/proc/${holdup.pid}/root/etc`, holdup, [Symbol.asyncDispose]: end }
}

const PRELUDE = `
  import { readFile } from 'node:fs/promises'
  import { setTimeout as pass } from 'node:timers/promises'
  import { action, NamespaceError, NamespaceSet, netns } from 'nsset'
  const directory = process.env.DIRECTORY`

const CALLS: Record<string, string> = {
  'netns.list': 'netns.list({ directory })',
  'netns.attach': "netns.attach('blue', set, { directory })",
  'netns.create': "netns.create('blue', { directory })",
  'netns.remove': "netns.remove('blue', { directory })",
  'mount into a directory': 'set.mount(directory)',
  'mount onto a file': "set.mount({ net: directory + '/net' })",
  'links.move to a path': "set.network.links.move('lo', { path: directory + '/net' })",
  'links.add with a peer in a named network':
    "set.network.links.add({ kind: 'veth', name: 'a0', peer: { set: { name: 'blue', directory } } })",
  'action.inside of a path': "set.network.apply([action.inside({ path: directory + '/net' }, [])])",
  'NamespaceSet.unmount': "NamespaceSet.unmount(directory + '/net')",
}

whereFilesHang.each(Object.entries(CALLS))('%s leaves the event loop and libuv’s pool free', async (_, call) => {
  await using hung = await hungDirectory()
  const seen = await askPlainNode<{ longest: number; wasSettled: boolean; code: string; text: string }>(
    `${PRELUDE}
    const set = await NamespaceSet.unshare('net')
    let longest = 0
    let isSettled = false
    let last = performance.now()
    const timer = setInterval(() => {
      longest = Math.max(longest, performance.now() - last)
      last = performance.now()
    }, 1)
    // As many as libuv's pool has threads.
    const calls = Array.from({ length: 4 }, () => ${call})
    const all = Promise.allSettled(calls).then((outcomes) => {
      isSettled = true
      return outcomes
    })
    const text = await readFile('/proc/self/comm', 'utf8')
    await pass(300)
    clearInterval(timer)
    const wasSettled = isSettled
    process.kill(${hung.holdup.pid}, 'SIGKILL')
    const [{ reason }] = await all
    set.close()
    console.log(JSON.stringify({ longest, wasSettled, code: reason instanceof NamespaceError ? 'NamespaceError' : reason.name, text }))`,
    { env: { DIRECTORY: hung.path }, timeLimit: 20_000 },
  )
  expect(seen).toMatchObject({ wasSettled: false, code: 'NamespaceError', text: expect.stringMatching(/./) })
  expect(seen.longest).toBeLessThan(150)
})

whereFilesHang.each([
  ['process.exit(7) ends Node', 'netns.list({ directory }).catch(() => undefined); await pass(50); process.exit(7)'],
  [
    'worker.terminate() ends a Worker',
    `const { Worker } = await import('node:worker_threads')
     const code = \`
       import { parentPort } from 'node:worker_threads'
       import { netns } from 'nsset'
       netns.list({ directory: process.env.DIRECTORY })
       parentPort.postMessage('it waits')\`
     const worker = new Worker(code, { eval: true })
     await new Promise((resolve) => worker.once('message', resolve))
     await worker.terminate()
     process.exitCode = 7`,
  ],
])('%s while a call waits', async (_, code) => {
  await using hung = await hungDirectory()
  const options = { env: { DIRECTORY: hung.path }, timeLimit: 20_000 }
  expect(await runPlainNode(`${PRELUDE}\n${code}`, options)).toMatchObject({ code: 7, signal: null })
})

whereFilesHang(
  'a program whose directory does not answer is given up after 10 seconds',
  { timeout: 40_000 },
  async () => {
    await using hung = await hungDirectory()
    const seen = await askPlainNode<{ code: string; seconds: number }>(
      `${PRELUDE}
    const set = await NamespaceSet.unshare('net')
    const since = performance.now()
    const error = await set.execFile('true', [], { cwd: directory + '/deeper' }).catch((error) => error)
    set.close()
    console.log(JSON.stringify({ code: error.code, seconds: (performance.now() - since) / 1000 }))`,
      { env: { DIRECTORY: hung.path }, timeLimit: 30_000 },
    )
    expect(seen.code).toBe('ETIMEDOUT')
    expect(seen.seconds).toBeGreaterThan(9.5)
  },
)
