/** New namespaces as a process inside a set would make them: several hosts of one user, users below users. */
import { type IdMap, type NamespaceKind, NamespaceSet } from 'nsset'
import { describe, expect, test } from 'vitest'
import { growthSince } from '../setup/guards/growth.ts'
import { initsOf, readStat } from '../setup/guards/proc-stat.ts'
import { eventually, resources } from '../setup/guards/resources.ts'
import { asRoot } from '../setup/sets/privilege.ts'

const map = (containerId: number, hostId: number, size: number): IdMap => ({ containerId, hostId, size })

async function linesIn(set: NamespaceSet, script: string): Promise<string[]> {
  return (await set.execFile('sh', ['-c', script])).stdout.trimEnd().split('\n')
}

/** Which pid has a program of the outside got in each pid namespace from here down to its own? */
function pidsOf(status: string): number[] {
  return /^NSpid:\t(.*)$/m.exec(status)?.[1]?.split('\t').map(Number) ?? []
}

describe('of a base', () => {
  test('the kinds named are new, the others are the base’s', async () => {
    using base = await NamespaceSet.unshare(['user', 'uts', 'net', 'ipc'], { mapUser: 'root', hostname: 'base' })
    using set = await base.unshare(['net', 'mnt'])
    expect(set.kinds).toEqual(['ipc', 'mnt', 'net', 'user', 'uts'])
    expect(set.equals(base, ['user', 'uts', 'ipc'])).toBe(true)
    expect(set.equals(base, 'net')).toBe(false)
    expect(await linesIn(set, 'uname -n; readlink /proc/self/ns/net')).toEqual(['base', set.id('net')])
  })

  test('the new ones are owned by the base’s user namespace', async () => {
    using base = await NamespaceSet.unshare('user', { mapUser: 'root' })
    const kinds: NamespaceKind[] = ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'time', 'uts']
    for (const kind of kinds) {
      using set = await base.unshare(kind)
      using same = base.unshareSync(kind)
      using owner = set.owner(kind)
      expect(owner.equals(base, 'user'), kind).toBe(true)
      expect(same.equals(set, kind), kind).toBe(false)
      expect(set.equals(base, 'user'), kind).toBe(true)
    }
    using all = await base.unshare(kinds)
    expect(all.kinds).toEqual([...kinds, 'user'].sort())
    expect(await linesIn(all, 'id -u')).toEqual(['0'])
  })

  test('the result lives without the base', async () => {
    const base = await NamespaceSet.unshare(['user', 'uts'], { mapUser: 'root', hostname: 'base' })
    using set = await base.unshare('net')
    base.close()
    expect(await linesIn(set, 'id -u; uname -n')).toEqual(['0', 'base'])
    await expect(base.unshare('net')).rejects.toMatchObject({ code: 'ERR_NSSET_CLOSED' })
    expect(() => base.unshareSync('net')).toThrow(expect.objectContaining({ code: 'ERR_NSSET_CLOSED' }))
  })

  test('two hosts of one user have a veth between them', async () => {
    using base = await NamespaceSet.unshare('user', { mapUser: 'root' })
    using left = await base.unshare(['net', 'uts'], { hostname: 'left', loopback: true })
    using right = await base.unshare(['net', 'uts'], { hostname: 'right', loopback: true })
    expect(await linesIn(left, 'uname -n')).toEqual(['left'])
    expect(await linesIn(right, 'uname -n')).toEqual(['right'])

    // A program of the left host finds the right one by a descriptor.
    using fds = right.fds('net')
    const stdio = ['ignore', 'inherit', 'inherit', fds.get('net')] as const
    const child = left.spawn(
      'ip',
      ['link', 'add', 'east', 'type', 'veth', 'peer', 'west', 'netns', '/proc/self/fd/3'],
      { stdio },
    )
    const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve))
    expect(code).toBe(0)
    await linesIn(left, 'ip address add 10.9.0.1/24 dev east && ip link set east up')
    await linesIn(right, 'ip address add 10.9.0.2/24 dev west && ip link set west up')
    const links = await linesIn(right, 'ip -oneline link')
    expect(links.some((line) => line.includes(' west@') && line.includes('LOWER_UP'))).toBe(true)
  })

  test('a failure names its step, and leaves nothing', async () => {
    using base = await NamespaceSet.unshare(['user', 'pid', 'mnt'], { mapUser: 'root' })
    const mounts = [{ type: 'tmpfs', target: '/nsset/is/not/here' }]
    const missing = { code: 'ENOENT', syscall: 'mount', path: '/nsset/is/not/here' }
    const round = async (): Promise<void> => {
      await expect(base.unshare(['mnt', 'pid', 'net'], { mounts })).rejects.toMatchObject(missing)
      await expect(base.unshare('mnt', { mounts })).rejects.toMatchObject(missing)
      expect(() => base.unshareSync('mnt', { root: '/nsset/is/not/here' })).toThrow('ENOENT')
    }
    await round()
    const before = await eventually(resources, (now) => now.children === 1)
    for (let count = 0; count < 10; count += 1) await round()
    expect(await growthSince(before)).toEqual({})
  })

  asRoot('with net only, no user namespace is in play', 'a net namespace alone takes CAP_SYS_ADMIN', async () => {
    using base = await NamespaceSet.unshare('net', { loopback: true })
    using set = await base.unshare('uts', { hostname: 'beside' })
    using owner = set.owner('uts')
    using home = NamespaceSet.current('user')
    expect(owner.equals(home)).toBe(true)
    expect(set.equals(base, 'net')).toBe(true)
    expect(set.kinds).toEqual(['net', 'uts'])
    expect(await linesIn(set, 'uname -n; ip -brief link show lo')).toEqual([
      'beside',
      expect.stringMatching(/^lo .*UP/),
    ])
    using below = await base.unshare(['user', 'mnt'], { mapUser: 'root' })
    using mine = below.owner('mnt')
    expect(mine.equals(below, 'user')).toBe(true)
    expect(below.equals(base, 'net')).toBe(true)
    expect(await linesIn(below, 'readlink /proc/self/ns/net; id -u')).toEqual([base.id('net'), '0'])
  })
})

describe('a user namespace below the base’s', () => {
  test('has the base’s as its parent, and owns what is made with it', async () => {
    using base = await NamespaceSet.unshare(['user', 'uts'], { mapUser: 'root', hostname: 'base' })
    using set = await base.unshare(['user', 'net'], { mapUser: 'root' })
    using parent = set.parent('user')
    using owner = set.owner('net')
    expect(parent.equals(base, 'user')).toBe(true)
    expect(owner.equals(set, 'user')).toBe(true)
    expect(set.equals(base, 'uts')).toBe(true)
    expect(await linesIn(set, 'uname -n; id -u')).toEqual(['base', '0'])
    // Of the base's host name it is no owner.
    await expect(set.execFile('hostname', ['below'])).rejects.toThrow('ended with code 1')
    expect(await linesIn(base, 'uname -n')).toEqual(['base'])
  })

  test('has maps of the base’s ids', async () => {
    using base = await NamespaceSet.unshare('user', { mapUser: 1000 })
    for (const [mapUser, id] of [
      ['root', 0],
      ['current', 1000],
      [7, 7],
    ] as const) {
      using set = await base.unshare('user', { mapUser })
      expect((await linesIn(set, 'id -u; id -g')).map(Number)).toEqual([id, id])
      // Read from inside, a map is of the ids of the namespace above.
      const maps = await linesIn(set, 'cat /proc/self/uid_map /proc/self/gid_map')
      expect(maps.map((line) => line.trim().split(/\s+/).map(Number))).toEqual([
        [id, 1000, 1],
        [id, 1000, 1],
      ])
    }
    using set = await base.unshare('user', {
      uidMaps: [map(5, 1000, 1)],
      gidMaps: [map(6, 1000, 1)],
      setgroups: 'deny',
    })
    expect(await linesIn(set, 'id -u; id -g; cat /proc/self/setgroups')).toEqual(['5', '6', 'deny'])
  })

  test('takes no ids that the base has not, and no mapUser auto', async () => {
    using base = await NamespaceSet.unshare('user', { mapUser: 'root' })
    const refused = { name: 'NamespaceError', code: 'EPERM', syscall: 'uid_map', kind: 'user' }
    const message = expect.stringContaining('must exist in the user namespace above')
    await expect(base.unshare('user', { uidMaps: [map(0, 1, 1)] })).rejects.toMatchObject({ ...refused, message })
    const overlapping = [map(0, 0, 1), map(0, 0, 1)]
    await expect(base.unshare('user', { uidMaps: overlapping })).rejects.toMatchObject({
      code: 'EINVAL',
      syscall: 'uid_map',
    })
    await expect(base.unshare('user', { mapUser: 'auto' })).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' })
  })

  test('goes 32 deep, and the kernel’s refusal after that is explained', async () => {
    const sets = [await NamespaceSet.unshare('user', { mapUser: 'root' })]
    try {
      const deeper = async (): Promise<never> => {
        for (;;) sets.push(await (sets.at(-1) as NamespaceSet).unshare('user', { mapUser: 'root' }))
      }
      // As create_user_ns() of kernel/user_namespace.c has it; user_namespaces(7) says EUSERS.
      await expect(deeper()).rejects.toMatchObject({
        code: 'ENOSPC',
        kind: 'user',
        message: expect.stringContaining('nested'),
      })
      expect(sets.length).toBeGreaterThan(30)
      expect(sets.length).toBeLessThanOrEqual(33)
      expect(await linesIn(sets.at(-1) as NamespaceSet, 'id -u')).toEqual(['0'])
    } finally {
      for (const set of sets) set.close()
    }
  })
})

describe('a pid namespace below the base’s', () => {
  test('is seen by the base, and sees only itself', async () => {
    const proc = [{ type: 'proc', target: '/proc' }]
    using base = await NamespaceSet.unshare(['user', 'pid', 'mnt'], { mapUser: 'root', mounts: proc })
    using set = await base.unshare(['pid', 'mnt'], { mounts: proc })
    using parent = set.parent('pid')
    expect(parent.equals(base, 'pid')).toBe(true)

    const child = set.spawn('cat', { stdio: ['pipe', 'ignore', 'inherit'] })
    const ended = new Promise((resolve) => child.once('close', resolve))
    try {
      const [own = '', ...others] = await linesIn(
        set,
        'echo $$; grep -h NSpid /proc/[0-9]*/status; cat /proc/[0-9]*/comm',
      )
      expect(others.filter((line) => line === 'nsset-init')).toHaveLength(1)
      expect(others.filter((line) => line === 'cat').length).toBeGreaterThan(0)
      // In a /proc of its own, a process has no pid but the innermost.
      const seen = others.filter((line) => line.startsWith('NSpid')).map(pidsOf)
      for (const pids of seen) expect(pids).toHaveLength(1)
      expect(seen.flat()).toContain(Number(own))

      const seenByBase = (await linesIn(base, 'grep -h NSpid /proc/[0-9]*/status')).map(pidsOf)
      // Two PID 1: the base's own, and the nested one, which has a pid of the base's, too.
      expect(
        seenByBase
          .filter((pids) => pids.at(-1) === 1)
          .map((pids) => pids.length)
          .sort(),
      ).toEqual([1, 2])
      expect(seenByBase.filter((pids) => pids.length === 2)).toHaveLength(2)
    } finally {
      child.stdin?.end()
      await ended
    }
  })

  test('ends with the base’s', async () => {
    const others = initsOf()
    const base = await NamespaceSet.unshare(['user', 'pid'], { mapUser: 'root' })
    using set = await base.unshare('pid')
    const inits = initsOf().filter((pid) => !others.includes(pid))
    expect(inits).toHaveLength(2)
    const child = set.spawn('sleep', ['60'], { stdio: 'ignore' })
    const ended = new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)))
    base.close()
    expect(await ended).toBe('SIGKILL')
    const left = (): number[] => inits.filter((pid) => readStat(pid) !== undefined)
    expect(await eventually(left, (pids) => pids.length === 0)).toEqual([])
    await expect(set.execFile('true')).rejects.toMatchObject({ code: 'ENOMEM' })
  })
})

test('a base whose PID 1 was killed takes no more processes, and says so', async () => {
  const others = initsOf()
  using base = await NamespaceSet.unshare(['user', 'pid', 'uts'], { mapUser: 'root' })
  const [init, ...more] = initsOf().filter((pid) => !others.includes(pid))
  expect(more).toEqual([])
  process.kill(init ?? 0, 'SIGKILL')
  await eventually(
    () => readStat(init ?? 0),
    (stat) => stat === undefined,
  )

  const ended = { name: 'NamespaceError', code: 'ENOMEM', kind: 'pid' }
  const message = expect.stringContaining('PID 1 of the pid namespace has ended')
  await expect(base.unshare('pid')).rejects.toMatchObject({ ...ended, message })
  await expect(base.execFile('true')).rejects.toMatchObject({ ...ended, message })
  // What needs no process in it goes on.
  using set = await base.unshare('net', { loopback: true })
  expect(set.equals(base, ['pid', 'user', 'uts'])).toBe(true)
  expect((await set.execFile('id', ['-u'], { kinds: ['user', 'net'] })).stdout).toBe('0\n')
})
