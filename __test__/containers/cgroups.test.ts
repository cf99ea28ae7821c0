/** `fromContainer` without an engine: trees of cgroups in the layouts that engines document. */
import { chownSync, mkdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { NamespaceSet } from 'nsset'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cgroupMounts } from '../../src/containers/cgroups/cgroup-mounts.ts'
import { fromContainer } from '../../src/containers/from-container.ts'
import { growthSince } from '../setup/guards/growth.ts'
import { resources } from '../setup/guards/resources.ts'
import { type Outsider, unshareProgram } from '../setup/oracles/unshare-program.ts'
import { anything, text } from '../setup/sets/arbitrary.ts'
import { expectFailure, failureOf, refuses, system, type, untyped, value } from '../setup/sets/failure.ts'
import { asOrdinaryUser, asRoot } from '../setup/sets/privilege.ts'
import { fromContainerOf, idOf, recordedCgroups } from '../setup/sets/recorded-cgroups.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'

const ID = idOf('3f2a9c81d')
const OTHER = idOf('3f2a9c0')
const POD = 'pod2d9e64a3-1f0b-4c36-9d53-7a1b2c3d4e5f'
const POD_SLICE = `kubepods-burstable-${POD.replaceAll('-', '_')}.slice`

let container: Outsider
let stranger: Outsider

beforeAll(async () => {
  container = await unshareProgram('--user', '--map-root-user', '--mount', '--uts')
  stranger = await unshareProgram('--user', '--map-root-user', '--mount', '--uts')
})
afterAll(async () => {
  await container[Symbol.asyncDispose]()
  await stranger[Symbol.asyncDispose]()
})

function expectContainer(set: NamespaceSet, of = container): void {
  expect(set.id('uts')).toBe(readlinkSync(`/proc/${of.pid}/ns/uts`))
  set.close()
}

describe('a container is found by its cgroup', () => {
  test.each([
    ['Docker, cgroupfs', `docker/${ID}`],
    ['Docker, systemd', `system.slice/docker-${ID}.scope`],
    ['Docker, custom cgroup parent', `tenants/blue/${ID}`],
    ['Docker, systemd in the container', `system.slice/docker-${ID}.scope/init.scope`],
    ['rootless Docker', `user.slice/user-1000.slice/user@1000.service/user.slice/docker-${ID}.scope`],
    ['Podman, systemd and crun', `machine.slice/libpod-${ID}.scope/container`],
    ['Podman, systemd and runc', `machine.slice/libpod-${ID}.scope`],
    ['Podman, cgroupfs', `libpod_parent/libpod-${ID}`],
    ['Podman, in a pod', `machine.slice/machine-libpod_pod_${OTHER}.slice/libpod-${ID}.scope/container`],
    ['rootless Podman', `user.slice/user-1000.slice/user@1000.service/user.slice/libpod-${ID}.scope/container`],
    ['Podman, --cgroups=split', `system.slice/web.service/libpod-payload-${ID}`],
    ['containerd, cgroupfs', `default/${ID}`],
    ['nerdctl, systemd', `system.slice/nerdctl-${ID}.scope`],
    ['containerd, systemd', `system.slice/cri-containerd-${ID}.scope`],
    ['CRI-O, cgroupfs', `kubepods/besteffort/${POD}/crio-${ID}`],
    ['CRI-O, systemd', `kubepods.slice/kubepods-burstable.slice/${POD_SLICE}/crio-${ID}.scope`],
    ['CRI-O with crun', `kubepods.slice/kubepods-burstable.slice/${POD_SLICE}/crio-${ID}.scope/container`],
    ['Kubernetes, cgroupfs, guaranteed', `kubepods/${POD}/${ID}`],
    ['Kubernetes, cgroupfs, burstable', `kubepods/burstable/${POD}/${ID}`],
    ['Kubernetes, systemd', `kubepods.slice/kubepods-burstable.slice/${POD_SLICE}/cri-containerd-${ID}.scope`],
    ['Kubernetes, Docker', `kubepods.slice/kubepods-burstable.slice/${POD_SLICE}/docker-${ID}.scope`],
    ['Kubernetes, different cgroup drivers', `system.slice/containerd.service/${POD_SLICE}:cri-containerd:${ID}`],
  ])('%s', async (_, path) => {
    using tree = recordedCgroups()
    tree.add('system.slice/ssh.service', process.pid)
    tree.add('user.slice/user-1000.slice/session-1.scope', process.pid)
    tree.add(path, container.pid)
    const places = { hierarchies: [tree.path] }
    for (const reference of [ID, ID.slice(0, 12), ID.slice(0, 6)].filter(
      (some) => !OTHER.startsWith(some) || !path.includes(OTHER),
    )) {
      expectContainer(await fromContainerOf(places, reference))
    }
  })

  test.each([
    ['runc', 'blue.1'],
    ['runc, systemd', 'system.slice/runc-blue.1.scope'],
    ['crun, systemd', 'user.slice/crun-blue.1.scope'],
    ['ctr', 'default/blue.1'],
  ])('under a custom id: %s', async (_, path) => {
    using tree = recordedCgroups()
    tree.add(path, container.pid)
    const places = { hierarchies: [tree.path] }
    expectContainer(await fromContainerOf(places, 'blue.1'))
    for (const part of ['blue', 'blue.', 'lue.1', 'blue.11', 'blue_1', 'Blue.1']) {
      expectFailure(await failureOf(() => fromContainerOf(places, part)), system('ENOENT', `'${part}'`, tree.path))
    }
  })

  test('in version 1: once, although hierarchies have different paths', async () => {
    using memory = recordedCgroups()
    using pids = recordedCgroups()
    using devices = recordedCgroups()
    memory.add(`machine/7868027e/docker/${ID}`, container.pid)
    pids.add(`docker/${ID}`, container.pid)
    devices.add('docker')
    expectContainer(await fromContainerOf({ hierarchies: [devices.path, memory.path, pids.path] }, ID))
  })

  test('in hybrid mode: the unified hierarchy has the cgroup, but no process', async () => {
    using unified = recordedCgroups()
    using systemd = recordedCgroups()
    unified.add(`docker/${ID}`)
    systemd.add(`docker/${ID}`, container.pid)
    expectContainer(await fromContainerOf({ hierarchies: [unified.path, systemd.path] }, ID.slice(0, 12)))
  })

  test('and only the requested kinds are opened', async () => {
    using tree = recordedCgroups()
    tree.add(`docker/${ID}`, container.pid)
    using set = await fromContainerOf({ hierarchies: [tree.path] }, ID, { kinds: ['uts', 'user'] })
    expect(set.kinds).toEqual(['user', 'uts'])
  })
})

describe('not a container', () => {
  test.each([
    ['conmon of CRI-O', `kubepods.slice/crio-conmon-${ID}.scope`],
    ['conmon of Podman', `machine.slice/libpod-conmon-${ID}.scope`],
    ['a pod of Podman', `machine.slice/machine-libpod_pod_${ID}.slice`],
    ['a longer id', `docker/${ID}0`],
    ['a part of a name', `docker/${ID}-init`],
  ])('%s', async (_, path) => {
    using tree = recordedCgroups()
    tree.add(path, stranger.pid)
    expectFailure(
      await failureOf(() => fromContainerOf({ hierarchies: [tree.path] }, ID)),
      system('ENOENT', ID, tree.path),
    )
  })

  test.each([
    'system.slice',
    'user.slice',
    'init.scope',
    'ssh.service',
    'docker',
    'kubepods',
    'background',
    'supervisor',
    'container',
  ])('the cgroup named %s', async (name) => {
    using tree = recordedCgroups()
    tree.add('system.slice', process.pid)
    tree.add('system.slice/ssh.service', stranger.pid)
    tree.add('init.scope', stranger.pid)
    // A cgroup of a session, which shares the mounts of the system.
    tree.add('user.slice/background', process.pid)
    tree.add(`docker/${ID}/supervisor`, stranger.pid)
    tree.add(`docker/${ID}/container`, container.pid)
    tree.add('kubepods/besteffort', container.pid)
    const failure = await failureOf(() => fromContainerOf({ hierarchies: [tree.path] }, name))
    expectFailure(failure, system('ENOENT', `'${name}'`))
  })
})

describe('several matches', () => {
  test('a prefix of two ids is ambiguous, and both are listed', async () => {
    using tree = recordedCgroups()
    tree.add(`docker/${ID}`, container.pid)
    tree.add(`system.slice/nerdctl-${OTHER}.scope`, stranger.pid)
    const places = { hierarchies: [tree.path] }
    const failure = await failureOf(() => fromContainerOf(places, '3f2a9c'))
    expectFailure(failure, ['RangeError', 'ERR_NSSET_AMBIGUOUS', "'3f2a9c'", ID, OTHER])
    expectContainer(await fromContainerOf(places, OTHER.slice(0, 7)), stranger)
  })

  test('a prefix of fewer than six digits does not match', async () => {
    using tree = recordedCgroups()
    tree.add(`docker/${ID}`, container.pid)
    expectFailure(
      await failureOf(() => fromContainerOf({ hierarchies: [tree.path] }, ID.slice(0, 5))),
      system('ENOENT'),
    )
  })

  test('an exited container does not make the prefix of another ambiguous', async () => {
    using tree = recordedCgroups()
    tree.add(`docker/${ID}`, container.pid)
    tree.add(`docker/${OTHER}`)
    expectContainer(await fromContainerOf({ hierarchies: [tree.path] }, '3f2a9c'))
  })

  test('two cgroups with the same id and their own processes are ambiguous', async () => {
    using tree = recordedCgroups()
    tree.add(`docker/${ID}`, container.pid)
    tree.add(`forged/docker-${ID}.scope`, stranger.pid)
    const failure = await failureOf(() => fromContainerOf({ hierarchies: [tree.path] }, ID))
    expectFailure(failure, ['RangeError', 'ERR_NSSET_AMBIGUOUS', `process ${container.pid}`, `process ${stranger.pid}`])
  })

  test('a cgroup inside a container is not taken for another container', async () => {
    using tree = recordedCgroups()
    tree.add(`docker/${ID}`, container.pid)
    tree.add(`docker/${OTHER}/docker/${ID}`, stranger.pid)
    expectContainer(await fromContainerOf({ hierarchies: [tree.path] }, ID))
    tree.add(`docker/${OTHER}/blue`, stranger.pid)
    expectFailure(await failureOf(() => fromContainerOf({ hierarchies: [tree.path] }, 'blue')), system('ENOENT'))
  })

  asRoot(
    'a cgroup of another user is rejected, whose process may be a trap',
    'changes the owner of directories',
    async () => {
      using tree = recordedCgroups()
      const places = { hierarchies: [tree.path] }
      chownSync(tree.add(`user.slice/libpod-${ID}.scope`, stranger.pid), 1234, 1234)
      for (const reference of [ID, ID.slice(0, 12)]) {
        const failure = await failureOf(() => fromContainerOf(places, reference))
        expectFailure(failure, system('EPERM', `'${reference}'`, 'belongs to uid 1234'))
        expect(failure).toMatchObject({ path: `${tree.path}/user.slice/libpod-${ID}.scope` })
      }
      tree.add(`machine.slice/libpod-${ID}.scope`, container.pid)
      expectContainer(await fromContainerOf(places, ID), container)
      tree.add(`machine.slice/libpod-${ID}.scope`)
      expectFailure(await failureOf(() => fromContainerOf(places, ID)), system('ESRCH'))
      chownSync(tree.add('user.slice/blue', stranger.pid), 1234, 1234)
      expectFailure(await failureOf(() => fromContainerOf(places, 'blue')), system('ENOENT'))
    },
  )

  test('a cgroup inside a container’s cgroup is rejected, as for pods on a node that runs in Docker', async () => {
    using tree = recordedCgroups()
    tree.add(`docker/${OTHER}/kubelet.slice/kubelet-${POD_SLICE}/cri-containerd-${ID}.scope`, container.pid)
    const failure = await failureOf(() => fromContainerOf({ hierarchies: [tree.path] }, ID))
    expectFailure(failure, system('EPERM', ID, 'inside another container'))
  })
})

describe('a container that is not running', () => {
  test('has an empty cgroup, or only processes of an outer pid namespace', async () => {
    using tree = recordedCgroups()
    for (const pids of [[], [0]]) {
      tree.add(`docker/${ID}`, ...pids)
      const failure = await failureOf(() => fromContainerOf({ hierarchies: [tree.path] }, ID))
      expectFailure(failure, system('ESRCH', 'not running', `${tree.path}/docker/${ID}`))
    }
  })

  test('has an exited process', async () => {
    using tree = recordedCgroups()
    const gone = await unshareProgram('--user', '--uts')
    await gone[Symbol.asyncDispose]()
    tree.add(`docker/${ID}`, gone.pid)
    expectFailure(await failureOf(() => fromContainerOf({ hierarchies: [tree.path] }, ID)), system('ESRCH'))
  })
})

asOrdinaryUser("another user's container is found, and not opened", async () => {
  using tree = recordedCgroups()
  tree.add(`docker/${ID}`, 1)
  const failure = await failureOf(() => fromContainerOf({ hierarchies: [tree.path] }, ID))
  expectFailure(failure, system('EACCES'))
  expect(failure).toMatchObject({ pid: 1 })
})

describe('the first process', () => {
  /** A `/proc` with processes by pid, parent, start time, and their pids in their pid namespaces. */
  function recordedProc(...processes: [pid: number, parent: number, start: number, pids: string, state?: string][]) {
    const proc = temporaryDirectory()
    for (const [pid, parent, start, pids, state = 'S'] of processes) {
      mkdirSync(proc.file(String(pid)))
      const rest = Array.from({ length: 17 }, () => '0').join(' ')
      writeFileSync(
        join(proc.path, String(pid), 'stat'),
        `${pid} (a) (b) R 1 c) ${state} ${parent} ${rest} ${start} 0 0\n`,
      )
      writeFileSync(
        join(proc.path, String(pid), 'status'),
        `Name:\ta\nPPid:\t${parent}\nNSpid:\t${pids}\nThreads:\t1\n`,
      )
    }
    return proc
  }

  /** The pid that is opened. */
  async function chosen(tree: { path: string }, proc: { path: string }): Promise<number> {
    let opened = 0
    const open = (pid: number) => {
      opened = pid
      return { close: () => undefined }
    }
    await fromContainer(ID, {}, open, { engines: [], hierarchies: [tree.path], proc: proc.path })
    return opened
  }

  test('is pid 1 of the container, not a process with a lower number or from `docker exec`', async () => {
    using tree = recordedCgroups()
    using proc = recordedProc([300, 90, 50, '300 1'], [200, 90, 70, '200 7'], [310, 300, 60, '310 2'])
    tree.add(`docker/${ID}`, 200, 300, 310)
    expect(await chosen(tree, proc)).toBe(300)
  })

  test('is pid 1 even when an older process was moved into the cgroup', async () => {
    using tree = recordedCgroups()
    using proc = recordedProc([290, 1, 40, '290'], [300, 90, 50, '300 1'])
    tree.add(`docker/${ID}`, 290, 300)
    expect(await chosen(tree, proc)).toBe(300)
  })

  test("is the oldest from outside in the host's pid namespace", async () => {
    using tree = recordedCgroups()
    using proc = recordedProc([300, 90, 50, '300'], [200, 90, 70, '200'], [310, 300, 40, '310'])
    tree.add(`docker/${ID}`, 200, 300, 310)
    expect(await chosen(tree, proc)).toBe(300)
  })

  test('is not that of a nested container', async () => {
    using tree = recordedCgroups()
    // Docker in Docker; the shim of the inner engine has left the container's cgroup.
    using proc = recordedProc([300, 90, 50, '300'], [310, 300, 60, '310'], [330, 1, 40, '330 1'])
    tree.add(`docker/${ID}/init`, 300, 310)
    tree.add(`docker/${ID}/docker/${OTHER}`, 330)
    expect(await chosen(tree, proc)).toBe(300)
  })

  test('is not the monitor process', async () => {
    using tree = recordedCgroups()
    using proc = recordedProc([290, 1, 40, '290'], [300, 290, 50, '300'])
    tree.add(`libpod_parent/libpod-${ID}/supervisor`, 290)
    tree.add(`libpod_parent/libpod-${ID}/container`, 300)
    expect(await chosen(tree, proc)).toBe(300)
  })

  test('is not an exited process', async () => {
    using tree = recordedCgroups()
    using proc = recordedProc([300, 90, 50, '300 1', 'Z'], [200, 90, 70, '200 7'])
    tree.add(`docker/${ID}`, 300, 200)
    expect(await chosen(tree, proc)).toBe(200)
  })

  test('is searched again when its pid was reused', async () => {
    using tree = recordedCgroups()
    using proc = recordedProc([300, 90, 50, '300 1'], [301, 90, 80, '301 1'])
    tree.add(`docker/${ID}`, 300)
    const log: string[] = []
    const open = (pid: number) => {
      log.push(`open ${pid}`)
      // The container restarts while it is opened, and another process gets its pid.
      if (pid === 300) tree.add(`docker/${ID}`, 301)
      return { close: () => log.push(`close ${pid}`) }
    }
    const places = { engines: [], hierarchies: [tree.path], proc: proc.path }
    await fromContainer(ID, {}, open, places)
    expect(log).toEqual(['open 300', 'close 300', 'open 301'])
  })

  test('is closed again when the abort comes just after it was opened', async () => {
    using tree = recordedCgroups()
    using proc = recordedProc([300, 90, 50, '300 1'])
    tree.add(`docker/${ID}`, 300)
    const controller = new AbortController()
    const log: string[] = []
    const open = (pid: number) => {
      log.push(`open ${pid}`)
      controller.abort('enough')
      return { close: () => log.push(`close ${pid}`) }
    }
    const places = { engines: [], hierarchies: [tree.path], proc: proc.path }
    await expect(fromContainer(ID, { signal: controller.signal }, open, places)).rejects.toBe('enough')
    expect(log).toEqual(['open 300', 'close 300'])
  })

  test('is given up when it changes at every attempt', async () => {
    using tree = recordedCgroups()
    using proc = recordedProc([300, 90, 50, '300 1'])
    tree.add(`docker/${ID}`, 300)
    const log: string[] = []
    const open = (pid: number) => {
      log.push('open')
      const stat = readFileSync(`${proc.path}/${pid}/stat`, 'utf8')
      writeFileSync(`${proc.path}/${pid}/stat`, stat.replace(/ \d+ 0 0\n$/, ` ${100 + log.length} 0 0\n`))
      return { close: () => log.push('close') }
    }
    const places = { engines: [], hierarchies: [tree.path], proc: proc.path }
    expectFailure(await failureOf(() => fromContainer(ID, {}, open, places)), system('ESRCH', ID, 'restart'))
    expect(log).toEqual(['open', 'close', 'open', 'close', 'open', 'close'])
  })
})

describe('the cgroup hierarchies', () => {
  const line = (device: string, root: string, target: string, rest: string) =>
    `30 20 ${device} ${root} ${target} rw,relatime shared:9 - ${rest}`

  async function mountsOf(...lines: string[]): Promise<string[]> {
    using directory = temporaryDirectory()
    writeFileSync(directory.file('mountinfo'), `${lines.join('\n')}\n`)
    return await cgroupMounts(directory.file('mountinfo'))
  }

  test('of version 2, of version 1, and of both are found', async () => {
    const unified = line('0:26', '/', '/sys/fs/cgroup', 'cgroup2 cgroup2 rw,nsdelegate')
    const cpu = line('0:30', '/', '/sys/fs/cgroup/cpu,cpuacct', 'cgroup cgroup rw,cpu,cpuacct')
    const systemd = line('0:31', '/', '/sys/fs/cgroup/systemd', 'cgroup cgroup rw,name=systemd')
    const root = line('254:0', '/', '/', 'ext4 /dev/vda rw')
    expect(await mountsOf(root, unified)).toEqual(['/sys/fs/cgroup'])
    expect(await mountsOf(root, cpu, systemd)).toEqual(['/sys/fs/cgroup/cpu,cpuacct', '/sys/fs/cgroup/systemd'])
    expect(await mountsOf(unified, cpu)).toEqual(['/sys/fs/cgroup', '/sys/fs/cgroup/cpu,cpuacct'])
    expect(await mountsOf(root)).toEqual([])
  })

  test('are each found once, at the mount with the most of it, with spaces in its path', async () => {
    const part = line('0:26', '/docker', '/mnt/part', 'cgroup2 cgroup2 rw')
    const whole = line('0:26', '/', '/mnt/the\\040whole', 'cgroup2 cgroup2 rw')
    expect(await mountsOf(part, whole, part)).toEqual(['/mnt/the whole'])
  })

  test('cannot be found without /proc', async () => {
    using nowhere = temporaryDirectory()
    const places = { proc: nowhere.path, hierarchies: undefined } as object
    expectFailure(await failureOf(() => fromContainerOf(places, ID)), system('ENOENT', 'mountinfo', '/proc'))
  })
})

describe('an abort signal', () => {
  test('ends the search before it starts, and during it', async () => {
    using tree = recordedCgroups()
    tree.add(`docker/${ID}`, container.pid)
    const places = { hierarchies: [tree.path] }
    const reason = new Error('enough')
    await expect(fromContainerOf(places, ID, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    for (let count = 0; count < 30; count += 1) tree.add(`system.slice/${count}.service`)
    const controller = new AbortController()
    const found = fromContainerOf(places, ID, { signal: controller.signal })
    setImmediate(() => controller.abort(reason))
    await expect(found).rejects.toBe(reason)
  })
})

describe('invalid arguments', () => {
  const wrong = (idOrName: unknown, options?: unknown) => () =>
    NamespaceSet.fromContainer(untyped(idOrName), untyped(options))
  refuses([
    ['nothing', wrong(undefined), type('idOrName', 'undefined')],
    ['a number', wrong(12), type('idOrName', '12')],
    ['no text', wrong(''), value('idOrName', "''")],
    ['a path', wrong('../../etc'), value('idOrName', "'../../etc'")],
    ['a pattern', wrong('*'), value('idOrName', "'*'")],
    ['a NUL', wrong('web\0'), value('idOrName')],
    ['a line feed', wrong('web\n'), value('idOrName')],
    ['a name with a slash, as in the output of docker inspect', wrong('/web'), value('idOrName', "'/web'")],
    ['too long', wrong('x'.repeat(256)), value('idOrName', '255')],
    ['options: text', wrong('web', 'net'), type('options', "'net'")],
    ['options.kinds: unknown value', wrong('web', { kinds: 'network' }), value('options.kinds', "'network'")],
    ['options.socketPath: a number', wrong('web', { socketPath: 5 }), type('options.socketPath', '5')],
    ['options.socketPath: empty', wrong('web', { socketPath: '' }), value('options.socketPath', 'empty')],
    ['options.socketPath: a NUL', wrong('web', { socketPath: '/\0' }), value('options.socketPath', 'NUL')],
    ['options.signal: not an AbortSignal', wrong('web', { signal: {} }), type('options.signal', 'an object')],
  ])
})

test('any id finds nothing outside the tree, and throws only documented errors', async () => {
  using outer = recordedCgroups()
  const tree = outer.add('tree')
  outer.add('secret', stranger.pid)
  outer.add(`tree/docker/${ID}`, container.pid)
  symlinkSync(join(outer.path, 'secret'), join(tree, 'linked'))
  const before = resources()
  const near = fc
    .array(fc.constantFrom('..', '.', '/', 'secret', 'linked', 'tree', 'docker', 'a', '%2e', '\0', '\\', '*'), {
      maxLength: 6,
    })
    .map((parts) => parts.join(''))
  await fc.assert(
    fc.asyncProperty(fc.oneof(near, text, anything), async (reference) => {
      const failure = await failureOf(() => fromContainerOf({ hierarchies: [tree] }, untyped(reference)))
      expect(['ENOENT', 'ERR_INVALID_ARG_TYPE', 'ERR_INVALID_ARG_VALUE']).toContain(failure.code)
    }),
    { numRuns: 500, examples: [['secret'], ['linked'], ['../secret'], ['tree/../secret'], ['docker']] },
  )
  expect(await growthSince(before)).toEqual({})
})
