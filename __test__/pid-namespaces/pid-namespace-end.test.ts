/** `await using` of a set with a `pid` namespace of its own: when the block has ended, so has everything that ran inside. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { setTimeout as pass } from 'node:timers/promises'
import { NamespacePool, NamespaceSet, netns } from 'nsset'
import { describe, expect, test } from 'vitest'
import { growthSince } from '../setup/guards/growth.ts'
import { readStat } from '../setup/guards/proc-stat.ts'
import { childrenOf, eventually, resources } from '../setup/guards/resources.ts'
import { inWorker } from '../setup/processes/worker.ts'
import { runPlainNode } from '../setup/programs/plain-node.ts'
import { asRoot } from '../setup/sets/privilege.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'

const makeSet = () => NamespaceSet.unshare(['user', 'pid'], { mapUser: 'root' })

/** Whether a process runs; zombies do not. */
const isAlive = (pid = 0) => readStat(pid) !== undefined

/** A process, its children, and theirs. */
const family = (pid: number): number[] => [pid, ...childrenOf(pid).flatMap(family)]

const STUBBORN = 'trap "" TERM HUP INT QUIT; echo ready; while :; do sleep 0.1; done'

async function startShell(set: NamespaceSet, script: string): Promise<number> {
  const child = set.spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout as Readable, 'data')
  return child.pid as number
}

describe('when the block has ended, nothing runs inside:', () => {
  test('many children', async () => {
    let pids: (number | undefined)[]
    // The first set makes what the process keeps for all.
    ;(await makeSet()).close()
    const before = await eventually(resources, ({ children }) => children === 0)
    for (let round = 0; round < 8; round += 1) {
      {
        await using set = await makeSet()
        const children = Array.from({ length: 20 }, () => set.spawn('sleep', ['60'], { stdio: 'ignore' }))
        pids = children.map(({ pid }) => pid)
        expect(pids.every(isAlive)).toBe(true)
      }
      expect(pids.filter(isAlive)).toEqual([])
      expect(childrenOf(process.pid)).toEqual([])
    }
    expect(await growthSince(before)).toEqual({})
  })

  test('programs that ignore signals, their children, and those that have left them', async () => {
    let pids: number[] = []
    {
      await using set = await makeSet()
      await startShell(set, STUBBORN)
      await startShell(set, `sh -c '${STUBBORN}' & setsid sleep 60 & sh -c 'sleep 61 & exec true'; wait`)
      pids = childrenOf(process.pid).flatMap(family)
      expect(pids.length).toBeGreaterThan(5)
    }
    expect(pids.filter(isAlive)).toEqual([])
  })

  test('a program that is traced from outside', async () => {
    using directory = temporaryDirectory()
    let pid: number
    {
      await using set = await makeSet()
      pid = await startShell(set, STUBBORN)
      const strace = spawn('strace', ['-qq', '-f', '-o', directory.file('trace'), '-p', `${pid}`], { stdio: 'ignore' })
      const isTraced = await eventually(
        () => /^TracerPid:\s+[1-9]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8')),
        (now) => now,
      )
      expect(isTraced).toBe(true)
      strace.unref()
    }
    expect(isAlive(pid)).toBe(false)
  })

  test('a set that a Worker made, and disposes of', async () => {
    const pids = await inWorker<number[]>(`
      const set = await nsset.NamespaceSet.unshare(['user', 'pid'], { mapUser: 'root' })
      const children = [1, 2, 3].map(() => set.spawn('sleep', ['60'], { stdio: 'ignore' }))
      await set[Symbol.asyncDispose]()
      const alive = children.map(({ pid }) => pid).filter((pid) => fs.existsSync('/proc/' + pid))
      return alive`)
    expect(pids).toEqual([])
  })

  test('the sets of a pool', async () => {
    const started: (number | undefined)[] = []
    {
      await using pool = new NamespacePool(['user', 'pid'], {
        size: 3,
        unshare: { mapUser: 'root' },
        afterCreate: (set) => started.push(set.spawn('sleep', ['60'], { stdio: 'ignore' }).pid),
      })
      pool.put(await pool.get())
      while (started.length < 3) await pass(5)
    }
    expect(started.length).toBeGreaterThanOrEqual(3)
    expect(started.filter(isAlive)).toEqual([])
  })

  test('close() was called before, or a moment ago in another place', async () => {
    let pid: number | undefined
    {
      await using set = await makeSet()
      pid = set.spawn('sleep', ['60'], { stdio: 'ignore' }).pid
      set.close()
      await Promise.all([set[Symbol.asyncDispose](), set[Symbol.asyncDispose]()])
      expect(readStat(pid ?? 0)).toBeUndefined()
    }
  })

  test('a dup was the last to go', async () => {
    const set = await makeSet()
    const dup = set.dup()
    const pid = dup.spawn('sleep', ['60'], { stdio: 'ignore' }).pid
    await set[Symbol.asyncDispose]()
    expect(isAlive(pid)).toBe(true)
    await dup[Symbol.asyncDispose]()
    expect(isAlive(pid)).toBe(false)
  })

  test('work of ours was still on its way inside', async () => {
    const set = await NamespaceSet.unshare(['user', 'pid', 'net', 'mnt'], { mapUser: 'root' })
    const pid = set.spawn('sleep', ['60'], { stdio: 'ignore' }).pid
    const links = set.network.links.list().catch(({ code }) => code)
    await set[Symbol.asyncDispose]()
    expect(isAlive(pid)).toBe(false)
    await links
  })
})

describe('it resolves at once', () => {
  test('for a set whose pid namespace is not its own, or that has none', async () => {
    for (const set of [NamespaceSet.current(), NamespaceSet.current('net')]) {
      await set[Symbol.asyncDispose]()
      expect(set.closed).toBe(true)
    }
  })

  test('where a set that is being made from it keeps the namespace', async () => {
    const base = await makeSet()
    const pid = base.spawn('sleep', ['60'], { stdio: 'ignore' }).pid
    const making = base.unshare('uts')
    await base[Symbol.asyncDispose]()
    await using made = await making
    expect(isAlive(pid)).toBe(true)
    expect((await made.execFile('echo', ['works'])).stdout).toBe('works\n')
  })
})

describe('the wait', () => {
  test('has a limit: what cannot be reaped, since its parent outside is stopped, is an error after 5 seconds', async () => {
    // nsenter(1) is the parent, outside of the namespace, of the program inside.
    const set = await makeSet()
    const flags = [`--user=${set.path('user')}`, `--pid=${set.path('pid')}`, '--preserve-credentials']
    const nsenter = spawn('nsenter', [...flags, 'sh', '-c', 'echo inside; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const ended = once(nsenter, 'exit')
    await once(nsenter.stdout, 'data')
    nsenter.kill('SIGSTOP')
    await eventually(
      () => readStat(nsenter.pid ?? 0)?.state,
      (state) => state === 'T',
    )
    const start = performance.now()
    try {
      await expect(set[Symbol.asyncDispose]()).rejects.toMatchObject({
        name: 'NamespaceError',
        code: 'ETIMEDOUT',
        kind: 'pid',
      })
      expect(performance.now() - start).toBeGreaterThan(4_900)
      expect(set.closed).toBe(true)
    } finally {
      nsenter.kill('SIGCONT')
      await ended
    }
    // Once it is reaped, a further call finds all of it gone.
    await set[Symbol.asyncDispose]()
  }, 20_000)

  test('keeps Node running until it is over, and no longer', async () => {
    const start = performance.now()
    const { stdout, code } = await runPlainNode(`
      import { NamespaceSet } from 'nsset'
      const set = await NamespaceSet.unshare(['user', 'pid'], { mapUser: 'root' })
      const child = set.spawn('sleep', ['60'], { stdio: 'ignore' })
      child.unref()
      await set[Symbol.asyncDispose]()
      console.log('over')`)
    expect({ stdout, code }).toEqual({ stdout: 'over\n', code: 0 })
    expect(performance.now() - start).toBeLessThan(4_500)
  })

  test('does not block the event loop', async () => {
    const set = await makeSet()
    for (let count = 0; count < 50; count += 1) set.spawn('sleep', ['60'], { stdio: 'ignore' })
    let longest = 0
    let last = performance.now()
    const watch = setInterval(() => {
      longest = Math.max(longest, performance.now() - last)
      last = performance.now()
    }, 1)
    await set[Symbol.asyncDispose]()
    clearInterval(watch)
    expect(longest).toBeLessThan(500)
  })

  asRoot('comes before the error of a name that stays', 'names are mounts, which take root', async () => {
    using directory = temporaryDirectory()
    const mount = (...args: string[]) => once(spawn('mount', [...args, directory.path]), 'exit')
    await mount('-t', 'tmpfs', 'names')
    try {
      const set = await NamespaceSet.unshare(['pid', 'net'])
      const pid = set.spawn('sleep', ['60'], { stdio: 'ignore' }).pid
      await netns.attach('blue', set, { directory: directory.path, temporary: true })
      await mount('-o', 'remount,ro')
      await expect(set[Symbol.asyncDispose]()).rejects.toMatchObject({ code: 'EROFS', path: directory.file('blue') })
      expect(isAlive(pid)).toBe(false)
    } finally {
      await once(spawn('umount', ['-l', directory.path]), 'exit')
    }
  })
})
