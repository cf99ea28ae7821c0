/** Control groups: how programs get in, what is counted, and how they end. Oracles: /proc and the files of the kernel. */
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, rmdirSync } from 'node:fs'
import { basename } from 'node:path'
import { ControlGroup, type NamespaceKind, NamespaceSet, type UnshareSyncOptions } from 'nsset'
import { describe, expect, test, vi } from 'vitest'
import { GroupDirectory } from '../../src/control-groups/group-directory.ts'
import { growthSince } from '../setup/guards/growth.ts'
import { resources } from '../setup/guards/resources.ts'
import {
  CGROUP2,
  delegate,
  groupFile,
  needsControllers,
  pathInHierarchy,
  plainGroup,
  reasonOf,
  runIn,
  version2Path,
  withController,
  withoutGroups,
} from '../setup/oracles/control-groups.ts'
import { askPlainNode } from '../setup/programs/plain-node.ts'
import { failureOf } from '../setup/sets/failure.ts'

const FORKED = new URL('../setup/programs/forked.cjs', import.meta.url)
const USER = 1234
const SUBORDINATE = [{ containerId: 0, hostId: 100_000, size: 65_536 }]

const SETS: [name: string, kinds: NamespaceKind[], options?: UnshareSyncOptions][] = [
  ['uts', ['uts']],
  ['mnt', ['mnt']],
  ['pid', ['pid']],
  ['user', ['user'], { mapUser: 'root' }],
  ['all kinds', ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'time', 'user', 'uts'], { mapUser: 'root' }],
  [
    'user, as another user than the owner of the group',
    ['user', 'pid'],
    { uidMaps: SUBORDINATE, gidMaps: SUBORDINATE },
  ],
]

describe.skipIf(withoutGroups !== undefined)(`control groups${reasonOf(withoutGroups)}`, () => {
  describe('a program is in the group from its first instruction on', () => {
    for (const [name, kinds, options] of SETS) {
      test(`in a set of ${name}`, async () => {
        await using set = NamespaceSet.unshareSync(kinds, options)
        await using group = await ControlGroup.create()
        const { stdout } = await set.execFile('cat', ['/proc/self/cgroup'], { cgroup: group })
        // In another cgroup namespace, the path begins at its root.
        expect(basename(String(version2Path(stdout)))).toBe(basename(group.path))
      })
    }

    test('by the path of the group, as a string, a Buffer and a URL', async () => {
      using set = NamespaceSet.unshareSync('uts')
      using group = plainGroup('path')
      for (const cgroup of [group.path, Buffer.from(group.path), new URL(`file://${group.path}`)]) {
        const { stdout } = await set.execFile('cat', ['/proc/self/cgroup'], { cgroup })
        expect(version2Path(stdout)).toBe(pathInHierarchy(group.path))
      }
    })

    test('of Node.js, by fork', async () => {
      using set = NamespaceSet.unshareSync('uts')
      await using group = await ControlGroup.create()
      await using child = set.fork(FORKED, [], { cgroup: group })
      expect(version2Path(readFileSync(`/proc/${child.pid}/cgroup`, 'utf8'))).toBe(pathInHierarchy(group.path))
    })

    test('also if filters of system calls refuse clone3(2): the program moves', async () => {
      // No user may be born in a group that belongs to root, so the same way is taken without a filter.
      using set = NamespaceSet.unshareSync(['user'], { uidMaps: SUBORDINATE, gidMaps: SUBORDINATE })
      await using group = await ControlGroup.create()
      const { stdout } = await set.execFile('cat', ['/proc/self/cgroup'], { cgroup: group })
      expect(version2Path(stdout)).toBe(pathInHierarchy(group.path))
    })

    test('in the process group of Node.js, unless detached', async () => {
      using set = NamespaceSet.unshareSync('uts')
      await using group = await ControlGroup.create()
      const script = 'cut -d" " -f5,6 /proc/self/stat; echo $$'
      const own = readFileSync('/proc/self/stat', 'utf8').split(' ').slice(4, 6).join(' ')
      const inside = await set.execFile('sh', ['-c', script], { cgroup: group })
      expect(inside.stdout.split('\n')[0]).toBe(own)
      const apart = await set.execFile('sh', ['-c', script], { cgroup: group, detached: true })
      const [ids, pid] = apart.stdout.split('\n')
      expect(ids).toBe(`${pid} ${pid}`)
    })
  })

  test('is created below its parent, with the given name', async () => {
    await using outer = await ControlGroup.create({ name: `nsset-outer-${process.pid}` })
    await using inner = await ControlGroup.create({ parent: outer, name: 'inner' })
    expect(outer.path).toBe(`${CGROUP2}/nsset-outer-${process.pid}`)
    expect(inner.path).toBe(`${outer.path}/inner`)
    await using byPath = await ControlGroup.create({ parent: outer.path })
    expect(byPath.path.startsWith(`${outer.path}/nsset-${process.pid}-`)).toBe(true)
    expect(existsSync(byPath.path)).toBe(true)
  })

  test('stat counts processes, and their CPU time in milliseconds', async () => {
    using set = NamespaceSet.unshareSync('uts')
    await using group = await ControlGroup.create()
    expect(await group.stat()).toMatchObject({ populated: false, frozen: false })
    await set.execFile('sh', ['-c', 'i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done'], { cgroup: group })
    const { cpu } = await group.stat()
    const microseconds = Number(/^usage_usec (\d+)/m.exec(groupFile(group.path, 'cpu.stat'))?.[1])
    expect(cpu.usage).toBe(microseconds / 1000)
    expect(cpu.usage).toBeGreaterThan(5)
    expect(cpu.user + cpu.system).toBeCloseTo(cpu.usage, 0)
  })

  test('freeze stops programs, and thaw lets them run', async () => {
    using set = NamespaceSet.unshareSync('uts')
    await using group = await ControlGroup.create()
    set.spawn('sh', ['-c', 'while :; do :; done'], { cgroup: group, stdio: 'ignore' })
    await group.freeze()
    expect(groupFile(group.path, 'cgroup.events')).toContain('frozen 1')
    const { frozen, cpu } = await group.stat()
    expect(frozen).toBe(true)
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect((await group.stat()).cpu.usage).toBe(cpu.usage)
    await group.thaw()
    expect((await group.stat()).frozen).toBe(false)
    await vi.waitUntil(async () => (await group.stat()).cpu.usage > cpu.usage)
  })

  test('kill ends a program and what it has started, also in other sessions', async () => {
    using set = NamespaceSet.unshareSync('uts')
    await using group = await ControlGroup.create()
    const child = set.spawn('sh', ['-c', 'setsid sleep 100 & echo $!; wait'], { cgroup: group })
    const [daemon] = await once(child.stdout, 'data')
    const ended = new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)))
    await group.kill()
    expect(await ended).toBe('SIGKILL')
    await vi.waitUntil(() => isGone(Number(daemon)))
  })

  test('close ends programs, also frozen ones, and removes the groups that they have made', async () => {
    using set = NamespaceSet.unshareSync('uts')
    const group = await ControlGroup.create()
    const script = `mkdir -p ${group.path}/a/b && echo 0 > ${group.path}/a/b/cgroup.procs && echo in && exec sleep 100`
    const child = set.spawn('sh', ['-c', script], { cgroup: group })
    await once(child.stdout, 'data')
    const ended = new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)))
    await group.freeze()
    await group.close()
    expect(await ended).toBe('SIGKILL')
    expect(existsSync(group.path)).toBe(false)
    expect(group.closed).toBe(true)
    await group.close()
  })

  test('closes at the end of an "await using" block, and with its parent', async () => {
    let path: string
    let inner: ControlGroup
    {
      await using group = await ControlGroup.create()
      path = group.path
      inner = await ControlGroup.create({ parent: group })
      expect(existsSync(inner.path)).toBe(true)
    }
    expect(existsSync(path)).toBe(false)
    await inner.close()
  })

  test('a parent and its child can be closed at the same time', async () => {
    const outer = await ControlGroup.create()
    const inner = await ControlGroup.create({ parent: outer })
    await Promise.all([outer.close(), inner.close(), outer.close()])
    expect(existsSync(outer.path)).toBe(false)
  })

  test('everything is refused after close', async () => {
    using set = NamespaceSet.unshareSync('uts')
    const group = await ControlGroup.create()
    await group.close()
    const calls = [
      () => group.stat(),
      () => group.set({ processes: 1 }),
      () => group.freeze(),
      () => group.thaw(),
      () => group.kill(),
      () => ControlGroup.create({ parent: group }),
      () => set.spawn('true', { cgroup: group }),
      () => NamespaceSet.unshareSync('cgroup', { cgroup: group }),
    ]
    for (const call of calls) expect((await failureOf(call)).code).toBe('ERR_NSSET_CLOSED')
  })

  test('a group of the same name that another process has made is left alone', async () => {
    const group = await ControlGroup.create()
    rmdirSync(group.path)
    mkdirSync(group.path)
    expect((await failureOf(() => group.stat())).code).toBe('ENODEV')
    expect((await failureOf(() => group.kill())).code).toBe('ENODEV')
    await group.close()
    expect(existsSync(group.path)).toBe(true)
    rmdirSync(group.path)
  })

  test('settings are applied all or not at all', async () => {
    await using group = await ControlGroup.create()
    const directory = await GroupDirectory.create(`${group.path}/inner`)
    const settings = [
      { controller: 'cpu', file: 'cgroup.max.depth', value: '5' },
      { controller: 'cpu', file: 'cgroup.max.descendants', value: 'many' },
    ] as const
    expect((await failureOf(() => directory.apply(settings))).code).toBe('EINVAL')
    expect(groupFile(directory.path, 'cgroup.max.depth')).toBe('max')
    await directory.apply(settings.slice(0, 1))
    expect(groupFile(directory.path, 'cgroup.max.depth')).toBe('5')
  })

  describe('unshare', () => {
    for (const [name, kinds] of [
      ['cgroup', ['cgroup', 'mnt']],
      ['cgroup and pid', ['cgroup', 'mnt', 'pid']],
      ['cgroup, user and pid', ['cgroup', 'mnt', 'pid', 'user']],
    ] as [string, NamespaceKind[]][]) {
      test(`makes the group the root of the new namespace: ${name}`, async () => {
        await using group = await ControlGroup.create()
        await using inner = await ControlGroup.create({ parent: group, name: 'inner' })
        const mounts = [{ type: 'cgroup2', target: '/sys/fs/cgroup' }]
        await using set = await NamespaceSet.unshare(kinds, {
          cgroup: group,
          mounts,
          ...(kinds.includes('user') ? { mapUser: 'root' } : {}),
        })
        const { stdout } = await set.execFile('sh', ['-c', 'cat /proc/self/cgroup; ls -d /sys/fs/cgroup/*/'], {
          cgroup: inner,
        })
        expect(version2Path(stdout)).toBe('/inner')
        expect(stdout.split('\n').at(-2)).toBe('/sys/fs/cgroup/inner/')
      })
    }

    test('without the option, the group of Node.js is the root', async () => {
      using set = NamespaceSet.unshareSync('cgroup')
      const { stdout } = await set.execFile('cat', ['/proc/self/cgroup'])
      expect(version2Path(stdout)).toBe('/')
    })
  })

  test('an ordinary user creates groups below one that was delegated', async () => {
    using base = plainGroup('delegated')
    delegate(base.path, USER)
    const answer = await askPlainNode<{ path: string; inside: string; closed: string[] }>(
      `import { ControlGroup, NamespaceSet } from 'nsset'
       import { readdirSync } from 'node:fs'
       const set = NamespaceSet.unshareSync(['user', 'pid'], { mapUser: 'root' })
       const group = await ControlGroup.create()
       const { stdout } = await set.execFile('cat', ['/proc/self/cgroup'], { cgroup: group })
       await group.freeze()
       await group.thaw()
       await group.close()
       set.close()
       const closed = readdirSync(${JSON.stringify(base.path)}).filter((name) => name.startsWith('nsset'))
       console.log(JSON.stringify({ path: group.path, inside: stdout, closed }))`,
      { prefix: runIn(base.path, USER) },
    )
    expect(answer.path.startsWith(`${base.path}/nsset-`)).toBe(true)
    expect(version2Path(answer.inside)).toBe(pathInHierarchy(answer.path))
    expect(answer.closed).toEqual([])
  })

  test('Node.js moves to a group below its own, if that has to turn on a controller', async (context) => {
    // The limits need other controllers, which version 1 may use; the way to turn one on is the same.
    needsControllers(context, 'hugetlb')
    using _ = withController('hugetlb')
    using base = plainGroup('moves')
    const module = new URL('../../src/control-groups/controllers.ts', import.meta.url)
    const [own, enabled] = await askPlainNode<string[]>(
      `import { readFileSync } from 'node:fs'
       import { enableBelow } from ${JSON.stringify(module.href)}
       await enableBelow(${JSON.stringify(base.path)}, ['hugetlb'])
       await enableBelow(${JSON.stringify(base.path)}, ['hugetlb'])
       const texts = ['/proc/self/cgroup', '${base.path}/cgroup.subtree_control'].map((path) => readFileSync(path, 'utf8'))
       console.log(JSON.stringify(texts))`,
      { prefix: ['sh', '-c', `echo 0 > '${base.path}/cgroup.procs' && exec "$@"`, 'sh'], flags: ['--import', 'tsx'] },
    )
    expect(version2Path(String(own))).toBe(`${pathInHierarchy(base.path)}/nsset-node`)
    expect(enabled?.trim()).toBe('hugetlb')
    rmdirSync(`${base.path}/nsset-node`)
  })

  test('nothing is left behind: no group, descriptor or process', async () => {
    using set = NamespaceSet.unshareSync('uts')
    const round = async () => {
      await using group = await ControlGroup.create()
      await set.execFile('true', { cgroup: group })
      await failureOf(() => set.execFile('/none', { cgroup: group }))
    }
    await round()
    const before = resources()
    for (let rounds = 0; rounds < 5; rounds += 1) await round()
    expect(await growthSince(before)).toEqual({})
  })
})

function isGone(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')
  } catch {
    return true
  }
}
