/** The limits of control groups, as they take effect, on a kernel whose controllers are in version 2: `npm run test:vm`. */
import { existsSync, readFileSync, rmdirSync } from 'node:fs'
import { ControlGroup, NamespaceSet } from 'nsset'
import { describe, expect, type TestContext, test, vi } from 'vitest'
import {
  delegate,
  groupFile,
  needsControllers,
  pathInHierarchy,
  plainGroup,
  reasonOf,
  runIn,
  version2Path,
  withoutGroups,
} from '../setup/oracles/control-groups.ts'
import { askPlainNode } from '../setup/programs/plain-node.ts'
import { failureOf } from '../setup/sets/failure.ts'

const MiB = 2 ** 20

/** Uses all memory that it gets, and swap space after that. */
const HUNGRY = ['-c', 'exec tail /dev/zero'] as const

function withControllers(name: string, controllers: string[], body: (context: TestContext) => Promise<void>): void {
  test(name, async (context) => {
    needsControllers(context, ...controllers)
    await body(context)
  })
}

describe.skipIf(withoutGroups !== undefined)(`limits${reasonOf(withoutGroups)}`, () => {
  withControllers(
    'a program that uses too much memory is killed, and memory.events counts it',
    ['memory'],
    async () => {
      using set = NamespaceSet.unshareSync('uts')
      await using group = await ControlGroup.create({ memory: 32 * MiB, swap: 0 })
      const result = await set.execFile('sh', [...HUNGRY], { cgroup: group, reject: false })
      expect(result.signal).toBe('SIGKILL')
      const { memory } = await group.stat()
      expect(memory?.events.oomKill).toBeGreaterThanOrEqual(1)
      expect(groupFile(group.path, 'memory.events')).toContain(`oom_kill ${memory?.events.oomKill}`)
      if (memory?.peak !== undefined) {
        expect(memory.peak).toBeGreaterThan(30 * MiB)
        expect(memory.peak).toBeLessThanOrEqual(32 * MiB)
      }
    },
  )

  withControllers('a program that forks too much gets EAGAIN, and pids.events counts it', ['pids'], async () => {
    using set = NamespaceSet.unshareSync('uts')
    await using group = await ControlGroup.create({ processes: 3 })
    const script = 'for i in 1 2 3 4 5; do sleep 100 & done; wait'
    const { stderr } = await set.execFile('sh', ['-c', script], { cgroup: group, reject: false, timeout: 5000 })
    expect(stderr).toMatch(/fork/i)
    const { processes } = await group.stat()
    expect(processes?.refused).toBeGreaterThanOrEqual(1)
    expect(groupFile(group.path, 'pids.events')).toContain(`max ${processes?.refused}`)
  })

  withControllers('a full group takes no further program', ['pids'], async () => {
    using set = NamespaceSet.unshareSync('uts')
    await using group = await ControlGroup.create({ processes: 1 })
    set.spawn('sleep', ['100'], { cgroup: group, stdio: 'ignore' })
    expect(await failureOf(() => set.execFile('true', { cgroup: group }))).toMatchObject({ code: 'EAGAIN' })
    expect((await group.stat()).processes?.current).toBe(1)
  })

  withControllers('a program that uses too much CPU time waits', ['cpu'], async () => {
    using set = NamespaceSet.unshareSync('uts')
    await using group = await ControlGroup.create({ cpus: 0.1 })
    const started = performance.now()
    set.spawn('sh', ['-c', 'while :; do :; done'], { cgroup: group, stdio: 'ignore' })
    await vi.waitUntil(async () => ((await group.stat()).cpu.throttling?.throttledPeriods ?? 0) >= 3)
    await group.freeze()
    const { cpu } = await group.stat()
    expect(cpu.throttling?.throttled).toBeGreaterThan(50)
    expect(cpu.usage).toBeLessThan((performance.now() - started) * 0.5)
  })

  withControllers('set changes limits, and Infinity removes them', ['memory', 'pids', 'cpu'], async () => {
    const none = Number.POSITIVE_INFINITY
    await using group = await ControlGroup.create({ memory: 64 * MiB, processes: none, cpus: none })
    const files = () =>
      ['memory.max', 'memory.swap.max', 'pids.max', 'cpu.max', 'cpu.weight'].map((name) => groupFile(group.path, name))
    expect(files()).toEqual([String(64 * MiB), 'max', 'max', 'max 100000', '100'])
    await group.set({ swap: 0, processes: 7 })
    expect(files()).toEqual([String(64 * MiB), '0', '7', 'max 100000', '100'])
    await group.set({ cpus: 1.5, cpuWeight: 10 })
    expect(files()).toEqual([String(64 * MiB), '0', '7', '150000 100000', '10'])
    await group.set({ memory: none, swap: none, processes: none, cpus: none })
    expect(files()).toEqual(['max', 'max', 'max', 'max 100000', '10'])
  })

  withControllers('a group of a group gets the controllers from above', ['memory', 'pids'], async () => {
    await using outer = await ControlGroup.create()
    await using inner = await ControlGroup.create({ parent: outer, memory: 16 * MiB })
    expect(groupFile(inner.path, 'memory.max')).toBe(String(16 * MiB))
    await inner.set({ processes: 5 })
    expect((await inner.stat()).processes).toMatchObject({ current: 0, refused: 0 })
  })

  withControllers('Node.js moves to a group below its own, if it is alone in it', ['pids'], async () => {
    using base = plainGroup('alone')
    delegate(base.path, 1234)
    const [path, own] = await askPlainNode<string[]>(
      `import { ControlGroup, NamespaceSet } from 'nsset'
       import { readFileSync } from 'node:fs'
       const set = NamespaceSet.unshareSync(['user', 'pid'], { mapUser: 'root' })
       const first = await ControlGroup.create({ processes: 20 })
       const second = await ControlGroup.create({ processes: 20 })
       const { stdout } = await set.execFile('cat', ['/proc/self/cgroup'], { cgroup: second })
       for (const group of [first, second]) await group.close()
       set.close()
       console.log(JSON.stringify([stdout, readFileSync('/proc/self/cgroup', 'utf8')]))`,
      { prefix: runIn(base.path, 1234) },
    )
    rmdirSync(`${base.path}/nsset-node`)
    expect(version2Path(String(own))).toBe(`${pathInHierarchy(base.path)}/nsset-node`)
    expect(version2Path(String(path))).toMatch(new RegExp(`^${pathInHierarchy(base.path)}/nsset-[0-9]+-`))
  })

  withControllers('Node.js does not move the processes of others', ['pids'], async () => {
    using base = plainGroup('shared')
    const answer = await askPlainNode<{ code: string; message: string }>(
      `import { ControlGroup } from 'nsset'
       const error = await ControlGroup.create({ processes: 20 }).catch((error) => error)
       console.log(JSON.stringify({ code: error.code, message: error.message }))`,
      // The shell waits in the group until Node.js has ended.
      { prefix: ['sh', '-c', `echo 0 > '${base.path}/cgroup.procs'; "$@"; exit $?`, 'sh'] },
    )
    expect(answer.code).toBe('EBUSY')
    expect(answer.message).toContain('systemd-run --user --scope')
    expect(existsSync(`${base.path}/nsset-node`)).toBe(false)
    expect(readFileSync(`${base.path}/cgroup.subtree_control`, 'utf8').trim()).toBe('')
  })
})
