/** The credentials of a program with options, and its end when Node.js exits. */
import { chmodSync, copyFileSync, readFileSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { NamespaceSet, type SpawnOptions } from 'nsset'
import { describe, expect, test } from 'vitest'
import { growthSince } from '../setup/guards/growth.ts'
import { readStat } from '../setup/guards/proc-stat.ts'
import { eventually, resources } from '../setup/guards/resources.ts'
import { ownRange } from '../setup/oracles/subordinate-ids.ts'
import { doomedNode } from '../setup/programs/doomed-node.ts'
import { anyonesSet } from '../setup/sets/anyones-set.ts'
import { failureOf } from '../setup/sets/failure.ts'
import { asOrdinaryUser, asRoot, isRoot } from '../setup/sets/privilege.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'

const NONE = '0000000000000000'
const ME = { uid: process.getuid?.() ?? -1, gid: process.getgid?.() ?? -1 }

type Options = Omit<SpawnOptions, 'stdio'>

interface Status {
  uid: string
  gid: string
  groups: string
  effective: string
  ambient: string
  noNewPrivileges: string
}

/** The credentials that the kernel reports for a program: proc_pid_status(5). */
async function statusOf(set: NamespaceSet, options: Options): Promise<Status> {
  return parse((await set.execFile('cat', ['/proc/self/status'], options)).stdout)
}

function parse(status: string): Status {
  const field = (name: string) => new RegExp(`^${name}:[ \\t]*(.*?)[ \\t]*$`, 'm').exec(status)?.[1] ?? ''
  // Real, effective, saved and file system id; they are equal.
  const id = (name: string) => [...new Set(field(name).split('\t'))].join(' ')
  return {
    uid: id('Uid'),
    gid: id('Gid'),
    groups: field('Groups'),
    effective: field('CapEff'),
    ambient: field('CapAmb'),
    noNewPrivileges: field('NoNewPrivs'),
  }
}

/** Maps 65536 ids: the subordinate ids of this user, or for root a range that no user has. */
function withManyIds(): NamespaceSet {
  const range = (file: '/etc/subuid' | '/etc/subgid') => (isRoot ? 100_000 : ownRange(file).start)
  const map = (hostId: number) => [{ containerId: 0, hostId, size: 65_536 }]
  return NamespaceSet.unshareSync('user', { uidMaps: map(range('/etc/subuid')), gidMaps: map(range('/etc/subgid')) })
}

describe('uid, gid and groups', () => {
  const CASES: [Options, expected: Partial<Status>][] = [
    [
      { uid: 1000, gid: 2000 },
      { uid: '1000', gid: '2000', groups: '', effective: NONE, ambient: NONE },
    ],
    [{ uid: 1000 }, { uid: '1000', gid: '0', groups: '', effective: NONE }],
    [{ gid: 2000 }, { uid: '0', gid: '2000', groups: '' }],
    [{ groups: [3000, 4000] }, { uid: '0', gid: '0', groups: '3000 4000' }],
    [
      { uid: 1000, gid: 2000, groups: [5, 4000] },
      { uid: '1000', gid: '2000', groups: '5 4000', effective: NONE },
    ],
    [
      { uid: 65_534, gid: 65_534, groups: [] },
      { uid: '65534', gid: '65534', groups: '' },
    ],
  ]
  for (const [options, expected] of CASES) {
    test(`${JSON.stringify(options)} in a user namespace`, async () => {
      using set = withManyIds()
      expect(await statusOf(set, options)).toMatchObject(expected)
    })
    asRoot(
      `${JSON.stringify(options)} without a user namespace`,
      'changing the user id requires CAP_SETUID',
      async () => {
        using set = NamespaceSet.unshareSync('uts')
        expect(await statusOf(set, options)).toMatchObject(expected)
      },
    )
  }

  test('match setpriv(1) and id(1)', async () => {
    using set = withManyIds()
    const options = { uid: 1000, gid: 2000, groups: [3000, 4000], noNewPrivileges: true }
    const { stdout } = await set.execFile('setpriv', ['--dump'], options)
    expect(stdout).toMatch(
      /^uid: 1000\neuid: 1000\ngid: 2000\negid: 2000\nSupplementary groups: 3000,4000\nno_new_privs: 1\n/,
    )
    expect((await set.execFile('id', ['-G'], options)).stdout).toBe('2000 3000 4000\n')
  })

  test('are ids inside: the maps translate them outside', async () => {
    using set = withManyIds()
    const child = set.spawn('sleep', ['60'], { uid: 1000, gid: 2000, stdio: 'ignore' })
    const ended = new Promise((resolve) => child.once('exit', resolve))
    const { uid, gid } = parse(readFileSync(`/proc/${child.pid}/status`, 'latin1'))
    child.kill('SIGKILL')
    await ended
    const [first, firstGroup] = isRoot
      ? [100_000, 100_000]
      : [ownRange('/etc/subuid').start, ownRange('/etc/subgid').start]
    expect([Number(uid), Number(gid)]).toEqual([first + 1000, firstGroup + 2000])
  })

  test('may have a thousand groups', async () => {
    using set = withManyIds()
    const groups = Array.from({ length: 1024 }, (_, index) => index + 1)
    expect((await statusOf(set, { groups })).groups).toBe(groups.join(' '))
  })

  test('may be the caller’s own when no other is mapped', async () => {
    using set = anyonesSet(['uts'], isRoot ? {} : { mapUser: 'current' })
    expect(await statusOf(set, ME)).toMatchObject({ uid: String(ME.uid), gid: String(ME.gid) })
  })

  test('default to the caller’s', async () => {
    using set = NamespaceSet.current('uts')
    expect(await statusOf(set, {})).toEqual(parse(readFileSync('/proc/self/status', 'latin1')))
  })
})

describe('invalid ids:', () => {
  /** No program is started, and all resources are released. */
  async function refused(set: NamespaceSet, options: Options, expected: object): Promise<void> {
    await set.execFile('true')
    const before = resources()
    const failure = await failureOf(() => set.spawn('true', [], { ...options, stdio: 'ignore' }))
    expect(failure).toMatchObject({ name: 'NamespaceError', ...expected })
    await expect(set.execFile('true', [], options)).rejects.toMatchObject(expected)
    expect(await growthSince(before)).toEqual({})
  }

  test('an unmapped user', async () => {
    using set = NamespaceSet.unshareSync('user', { mapUser: 'root' })
    await refused(
      set,
      { uid: 5 },
      { code: 'EINVAL', syscall: 'setresuid', message: expect.stringContaining('is not mapped') },
    )
  })
  test('an unmapped group', async () => {
    using set = NamespaceSet.unshareSync('user', { mapUser: 'root' })
    await refused(
      set,
      { gid: 5 },
      { code: 'EINVAL', syscall: 'setresgid', message: expect.stringContaining('is not mapped') },
    )
  })
  test('an unmapped supplementary group', async () => {
    using set = withManyIds()
    await refused(
      set,
      { groups: [1, 70_000] },
      { code: 'EINVAL', syscall: 'setgroups', message: expect.stringContaining('is not mapped') },
    )
  })
  asOrdinaryUser('supplementary groups when the maps deny them', async () => {
    using set = NamespaceSet.unshareSync('user', { mapUser: 'root' })
    await refused(
      set,
      { groups: [0] },
      { code: 'EPERM', syscall: 'setgroups', message: expect.stringContaining('denied') },
    )
  })
  asOrdinaryUser('another user, without a user namespace', async () => {
    using set = NamespaceSet.current('uts')
    await refused(
      set,
      { uid: 0 },
      { code: 'EPERM', syscall: 'setresuid', message: expect.stringContaining('CAP_SETUID') },
    )
    await refused(
      set,
      { gid: 0 },
      { code: 'EPERM', syscall: 'setresgid', message: expect.stringContaining('CAP_SETGID') },
    )
  })
})

describe('keepCapabilities', () => {
  test('keeps the caller’s capabilities inside for a user other than 0', async () => {
    using set = NamespaceSet.unshareSync(['user', 'uts'], { mapUser: 1000 })
    const [without, kept] = [await statusOf(set, {}), await statusOf(set, { keepCapabilities: true })]
    expect(without).toMatchObject({ uid: '1000', effective: NONE, ambient: NONE })
    expect(kept).toMatchObject({ uid: '1000', ambient: kept.effective })
    expect(kept.effective).not.toBe(NONE)
    await expect(set.execFile('hostname', ['x'])).rejects.toMatchObject({ exitCode: 1 })
    await set.execFile('hostname', ['changed'], { keepCapabilities: true })
    expect((await set.execFile('hostname')).stdout).toBe('changed\n')
  })
  test('works with uid and gid', async () => {
    using set = withManyIds()
    const kept = await statusOf(set, { keepCapabilities: true, uid: 1000, gid: 2000 })
    expect(kept).toMatchObject({ uid: '1000', gid: '2000', groups: '', ambient: kept.effective })
    expect(kept.effective).not.toBe(NONE)
  })
  test('keeps capabilities of the set’s user namespace only', async () => {
    using set = NamespaceSet.unshareSync('user', { mapUser: 1000 })
    const failed = set.execFile('hostname', ['x'], { keepCapabilities: true })
    await expect(failed).rejects.toMatchObject({ exitCode: 1 })
  })
  asRoot('keeps root’s capabilities without a user namespace', 'an ordinary user has none', async () => {
    using set = NamespaceSet.unshareSync('uts')
    const kept = await statusOf(set, { keepCapabilities: true, uid: 1000, gid: 1000 })
    expect(kept).toMatchObject({ uid: '1000', effective: parse(readFileSync('/proc/self/status', 'latin1')).effective })
  })
  asOrdinaryUser('keeps nothing if there are none', async () => {
    using set = NamespaceSet.current('uts')
    expect(await statusOf(set, { keepCapabilities: true })).toMatchObject({ effective: NONE, ambient: NONE })
  })
  test('changes nothing for user 0', async () => {
    using set = NamespaceSet.unshareSync('user', { mapUser: 'root' })
    const [without, kept] = [await statusOf(set, {}), await statusOf(set, { keepCapabilities: true })]
    expect(kept.effective).toBe(without.effective)
  })
})

describe('noNewPrivileges', () => {
  test('applies to the program and its children', async () => {
    using set = anyonesSet(['uts'])
    expect((await statusOf(set, { noNewPrivileges: true })).noNewPrivileges).toBe('1')
    expect((await statusOf(set, {})).noNewPrivileges).toBe('0')
    const { stdout } = await set.execFile('sh', ['-c', 'sh -c "grep NoNewPrivs /proc/self/status"'], {
      noNewPrivileges: true,
    })
    expect(stdout).toBe('NoNewPrivs:\t1\n')
  })
  test('removes no kept capability', async () => {
    using set = NamespaceSet.unshareSync('user', { mapUser: 1000 })
    const kept = await statusOf(set, { noNewPrivileges: true, keepCapabilities: true })
    expect(kept.effective).not.toBe(NONE)
  })
  asRoot('disables set-user-ID programs', 'creating such a program requires root', async () => {
    using directory = temporaryDirectory()
    chmodSync(directory.path, 0o755)
    const program = directory.file('id')
    copyFileSync('/usr/bin/id', program)
    chmodSync(program, 0o4755)
    using set = NamespaceSet.unshareSync('uts')
    const who = async (options: Options) =>
      (await set.execFile(program, ['-u'], { uid: 1234, gid: 1234, ...options })).stdout
    expect(await who({})).toBe('0\n')
    expect(await who({ noNewPrivileges: true })).toBe('1234\n')
  })
})

describe('deathSignal', () => {
  const SET = isRoot
    ? "NamespaceSet.unshareSync('uts')"
    : "NamespaceSet.unshareSync(['user', 'uts'], { mapUser: 'root' })"
  const ALL = "['user', 'mnt', 'net', 'uts', 'ipc', 'time', 'cgroup']"
  /** Starts one program, and prints its pid. */
  const program = (set: string, options: string) => `
    import { NamespaceSet } from 'nsset'
    const set = ${set}
    console.log(set.spawn('sleep', ['60'], { stdio: 'ignore', ${options} }).pid)
    setInterval(() => 0, 1000)`

  const isGone = (pid: number) =>
    eventually(
      () => readStat(pid) === undefined,
      (gone) => gone,
      2_000,
    )

  const CASES: [string, set: string, options: string, isKilled: boolean][] = [
    ['SIGKILL, when Node is killed', SET, "deathSignal: 'SIGKILL'", true],
    ['a number', SET, 'deathSignal: 9', true],
    ['in every kind but pid', `NamespaceSet.unshareSync(${ALL}, { mapUser: 'root' })`, "deathSignal: 'SIGKILL'", true],
    ['detached', SET, "deathSignal: 'SIGKILL', detached: true", true],
    ['without it the program survives', SET, '', false],
  ]
  for (const [name, set, options, isKilled] of CASES) {
    test(name, async () => {
      await using node = doomedNode(program(set, options))
      const pid = Number(await node.line())
      expect(readStat(pid)?.comm).toBe('sleep')
      await node.kill()
      if (!isKilled) await new Promise((resolve) => setTimeout(resolve, 100))
      expect(isKilled ? await isGone(pid) : readStat(pid) === undefined).toBe(isKilled)
      if (!isKilled) process.kill(pid, 'SIGKILL')
    })
  }

  asRoot('with another user, too', 'changing the user id requires CAP_SETUID', async () => {
    await using node = doomedNode(program(SET, "deathSignal: 'SIGKILL', uid: 1234, gid: 1234"))
    const pid = Number(await node.line())
    await node.kill()
    expect(await isGone(pid)).toBe(true)
  })

  test('a pid set ends with Node.js, even without it', async () => {
    const set = "NamespaceSet.unshareSync(['user', 'pid'], { mapUser: 'root' })"
    await using node = doomedNode(program(set, ''))
    const pid = Number(await node.line())
    await node.kill()
    expect(await isGone(pid)).toBe(true)
  })

  test('a program that handles the signal may end by itself', async () => {
    using directory = temporaryDirectory()
    const script = `trap 'echo received > ${directory.file('received')}; exit' USR1; echo ready; while :; do sleep 0.02; done`
    await using node = doomedNode(`
      import { NamespaceSet } from 'nsset'
      const set = ${SET}
      set.spawn('sh', ['-c', ${JSON.stringify(script)}], { stdio: ['ignore', 'inherit', 'inherit'], deathSignal: 'SIGUSR1' })`)
    expect(await node.line()).toBe('ready')
    await node.kill()
    const received = () => {
      try {
        return readFileSync(directory.file('received'), 'utf8')
      } catch {
        return ''
      }
    }
    expect(await eventually(received, (text) => text !== '')).toBe('received\n')
  })

  test('a Worker’s child gets it when the Worker is terminated; its other children survive', async () => {
    const worker = new Worker(
      `const { parentPort } = require('node:worker_threads')
      import('nsset').then(({ NamespaceSet }) => {
        const set = ${SET}
        const start = (options) => set.spawn('sleep', ['60'], { stdio: 'ignore', ...options }).pid
        parentPort.postMessage([start({ deathSignal: 'SIGKILL' }), start({})])
        setInterval(() => 0, 1000)
      })`,
      { eval: true, execArgv: [] },
    )
    const [mortal, other] = await new Promise<[number, number]>((resolve, reject) => {
      worker.once('message', resolve).once('error', reject)
    })
    expect([readStat(mortal)?.comm, readStat(other)?.comm]).toEqual(['sleep', 'sleep'])
    await worker.terminate()
    expect(await isGone(mortal)).toBe(true)
    expect(readStat(other)?.comm).toBe('sleep')
    process.kill(other, 'SIGKILL')
    expect(await isGone(other)).toBe(true)
  })
})
