/** The promises of what is done beside the JavaScript thread: their errors, what they keep alive, and what ends with a Worker. */
import { once } from 'node:events'
import { NamespaceSet, netns } from 'nsset'
import { describe, expect, test } from 'vitest'
import { AS_ROOT_INSIDE, askPlainNode, runPlainNode } from '../setup/programs/plain-node.ts'
import { asRoot, isRoot } from '../setup/sets/privilege.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'

const NOWHERE = '/nsset/is/not/here'

const FAILING: Record<string, () => Promise<unknown>> = {
  'NamespaceSet.unshare': () => NamespaceSet.unshare(['user', 'mnt'], { mapUser: 'root', root: NOWHERE }),
  'NamespaceSet.unmount': () => NamespaceSet.unmount(NOWHERE),
  'set.mount': async () => {
    using here = NamespaceSet.current('net')
    await here.mount(NOWHERE)
  },
  'set.unshare': async () => {
    using base = await NamespaceSet.unshare('user', { mapUser: 'root' })
    await base.unshare('mnt', { root: NOWHERE })
  },
  'netns.remove': () => netns.remove('blue', { directory: NOWHERE }),
}

describe('the stack of an error names the functions that wait for it', () => {
  test.each(Object.entries(FAILING))('%s', async (_, call) => {
    const waitsForIt = async () => await call()
    const error = await waitsForIt().catch((error: Error) => error)
    expect(error).toMatchObject({ name: 'NamespaceError', code: 'ENOENT' })
    expect((error as Error).stack).toMatch(/^NamespaceError: ENOENT.*\n(.*\n)*.*\bwaitsForIt\b/)
  })
})

test('a call that waits keeps Node running, and no longer', async () => {
  const program = `
    import { NamespaceSet, netns } from 'nsset'
    const ends = []
    const tell = (name) => () => ends.push(name)
    NamespaceSet.unshare(['user', 'net'], { mapUser: 'root' }).then(async (set) => {
      await set.network.links.list()
      set.unshare('uts').then((made) => { made.close(); set.close() }).then(tell('unshare'))
    })
    netns.list({ directory: '/proc/self' }).then(tell('list'))
    NamespaceSet.unmount('${NOWHERE}').catch(tell('unmount'))
    process.once('beforeExit', () => console.log(JSON.stringify(ends.sort())))`
  expect(await askPlainNode(program, { timeLimit: 20_000 })).toEqual(['list', 'unmount', 'unshare'])
})

test('a name is not attached to a set that was closed meanwhile', async () => {
  using directory = temporaryDirectory()
  const program = `
    import { readdirSync } from 'node:fs'
    import { NamespaceSet, netns } from 'nsset'
    const outcomes = new Set()
    for (let turn = 0; turn < 20; turn++) {
      const set = NamespaceSet.unshareSync('net')
      const attached = netns.attach('blue', set, { directory: process.env.DIRECTORY, temporary: true })
      set.close()
      outcomes.add(await attached.then(() => 'attached', ({ code }) => code))
      if (readdirSync(process.env.DIRECTORY).length > 0) throw new Error('a name was left')
    }
    console.log(JSON.stringify([...outcomes]))`
  const prefix = isRoot ? ['unshare', '--mount'] : [...AS_ROOT_INSIDE, '--mount']
  const outcomes = await askPlainNode<string[]>(program, {
    prefix,
    env: { DIRECTORY: directory.path },
    timeLimit: 20_000,
  })
  for (const outcome of outcomes) expect(['attached', 'ERR_NSSET_CLOSED']).toContain(outcome)
})

asRoot(
  'in a Worker with mounts of its own, files are those inside',
  'only root enters on a thread of Node',
  async () => {
    await using set = await NamespaceSet.unshare('mnt', { mounts: [{ type: 'tmpfs', target: '/mnt' }] })
    const code = `
    const { parentPort } = require('node:worker_threads')
    const { NamespaceSet, netns } = require('nsset')
    const calls = async () => {
      const net = NamespaceSet.current('net')
      await net.mount({ net: '/mnt/mounted' })
      await netns.attach('attached', net, { directory: '/mnt' })
      const names = await netns.list({ directory: '/mnt' })
      await NamespaceSet.unmount('/mnt/mounted')
      await netns.remove('attached', { directory: '/mnt' })
      net.close()
      return [names, await netns.list({ directory: '/mnt' })]
    }
    calls().then((results) => parentPort.postMessage(results))`
    const worker = set.worker(code, { eval: true })
    const [[during, after]] = await once(worker, 'message')
    expect({ during, after }).toEqual({ during: ['attached', 'mounted'], after: [] })
    await once(worker, 'exit')
  },
)

test('a Worker that is terminated while calls of every kind wait leaves nothing, and the others are answered', async () => {
  const code = `
    import { parentPort } from 'node:worker_threads'
    import { NamespaceSet, netns } from 'nsset'
    const set = await NamespaceSet.unshare(['user', 'net'], { mapUser: 'root' })
    const call = () => {
      set.network.links.list().catch(() => {})
      set.unshare('uts').catch(() => {})
      set.unshare('mnt').catch(() => {})
      NamespaceSet.unshare('user').catch(() => {})
      netns.list({ directory: '/proc/self' }).catch(() => {})
      set.network.sysctls.get('net.ipv4.ip_forward').catch(() => {})
    }
    for (let count = 0; count < 20; count++) call()
    parentPort.postMessage('calls wait')`
  const program = `
    import { readdirSync } from 'node:fs'
    import { setTimeout as pass } from 'node:timers/promises'
    import { Worker } from 'node:worker_threads'
    import { NamespaceSet } from 'nsset'
    const descriptors = () => readdirSync('/proc/self/fd').length
    const once = async () => {
      const worker = new Worker(${JSON.stringify(code)}, { eval: true })
      await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
      await worker.terminate()
    }
    const mine = await NamespaceSet.unshare(['user', 'net'], { mapUser: 'root' })
    await mine.network.links.list()
    await once()
    const settle = async (most) => {
      const until = Date.now() + 5_000
      while (descriptors() > most && Date.now() < until) await pass(20)
      return descriptors()
    }
    await pass(500)
    const before = descriptors()
    for (let turn = 0; turn < 5; turn++) await once()
    const after = await settle(before)
    const links = await mine.network.links.list()
    console.log(JSON.stringify({ left: Math.max(0, after - before), links: links.length }))`
  const {
    stdout,
    stderr,
    code: ended,
    signal,
  } = await runPlainNode(program, {
    timeLimit: 50_000,
  })
  expect({ ended, signal }, stderr).toEqual({ ended: 0, signal: null })
  expect(JSON.parse(stdout)).toEqual({ left: 0, links: 1 })
}, 60_000)
