/** `namespaces()`: which namespaces there are, what holds them, and how each is opened. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readlinkSync } from 'node:fs'
import { release } from 'node:os'
import { inspect } from 'node:util'
import { type FoundNamespace, type NamespaceHolder, NamespaceSet, NS, namespaces, netns } from 'nsset'
import { describe, expect, test } from 'vitest'
import { growthSince } from '../setup/guards/growth.ts'
import { resources } from '../setup/guards/resources.ts'
import { ALL_KINDS } from '../setup/guards/thread-place.ts'
import { anyonesSet } from '../setup/sets/anyones-set.ts'
import { refuses, type, untyped, value } from '../setup/sets/failure.ts'
import {
  CHILDREN_ELSEWHERE,
  heldByDescriptor,
  hide,
  LONE_THREAD,
  mountsOwnUts,
  namespaceOfDescriptor,
  PID_NAMESPACE_ABOVE,
  SOCKET_ELSEWHERE,
} from '../setup/sets/hiding-places.ts'
import { asOrdinaryUser, asRoot, isRoot } from '../setup/sets/privilege.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'

const found = async (id: string): Promise<FoundNamespace> => {
  const one = (await namespaces()).find((each) => each.id === id)
  if (one === undefined) throw new Error(`${id} was not found`)
  return one
}

/** The types of what holds a namespace, each once. */
const typesOf = ({ holders }: FoundNamespace) => [...new Set(holders.map((holder) => holder.type))].toSorted()

const holderOf = <T extends NamespaceHolder['type']>(namespace: FoundNamespace, type: T) =>
  namespace.holders.find((holder): holder is NamespaceHolder & { type: T } => holder.type === type)

/** Every hiding place ends here: the namespace can be opened, and is the same one. */
function expectOpens(namespace: FoundNamespace): void {
  using set = namespace.open()
  expect(set.id()).toBe(namespace.id)
  expect(set.kinds).toEqual([namespace.kind])
}

describe('what it finds', () => {
  test('the namespaces of this process, of all kinds, held by it', async () => {
    using here = NamespaceSet.current()
    const all = await namespaces()
    for (const kind of ALL_KINDS) {
      const one = all.find(({ id }) => id === here.id(kind))
      expect(one?.kind).toBe(kind)
      expect(one?.holders).toContainEqual(
        expect.objectContaining({ type: 'process', pid: process.pid, command: expect.any(String) }),
      )
    }
  })

  test('everything that lsns(8) finds, with the owner and the parent', async () => {
    using set = anyonesSet(['user', 'net', 'uts', 'pid'])
    await using _inside = await hide('number = 0', set)
    const listed = lsns()
    const all = new Map((await namespaces()).map((each) => [each.id, each]))
    const own = listed.filter(({ id }) => ALL_KINDS.some((kind) => set.has(kind) && set.id(kind) === id))
    expect(own).toHaveLength(4)
    for (const { id, owner, parent } of own) {
      const { owner: ours, parent: above } = all.get(id) ?? {}
      expect({ owner: ours, parent: above ?? '0' }).toEqual({
        owner: `user:[${owner}]`,
        parent: parent === 0 ? '0' : `${id.split(':')[0]}:[${parent}]`,
      })
    }
  })

  test('the processes that lsns(8) counts, and the oldest of them', async () => {
    using set = anyonesSet(['net', 'uts'])
    await using one = await hide('number = 0', set)
    await using _other = await hide('number = 0', set)
    const listed = lsns().filter(({ id }) => set.kinds.some((kind) => set.id(kind) === id))
    expect(listed).toHaveLength(set.kinds.length)
    const all = await namespaces()
    for (const { id, processes, pid } of listed) {
      const found = all.find((each) => each.id === id)
      const pids = found?.holders.flatMap((holder) => (holder.type === 'process' ? holder.pid : [])) ?? []
      expect([pids.length, pids[0]]).toEqual([processes, pid])
      expect(pids).toContain(one.pid)
    }
  })

  asRoot('the file that lsns(8) prints for a network', 'mounts require root', async () => {
    using directory = temporaryDirectory()
    using set = NamespaceSet.unshareSync('net')
    const path = directory.file('net')
    await set.mount({ net: path })
    await using _inside = await hide('number = 0', set)
    try {
      expect(lsns().find(({ id }) => id === set.id())?.file).toBe(path)
      expect(holderOf(await found(set.id()), 'mount')?.path).toBe(path)
    } finally {
      await NamespaceSet.unmount(path)
    }
  })

  test('only the kinds that are asked for', async () => {
    const kinds = new Set((await namespaces({ kinds: ['uts', 'user'] })).map(({ kind }) => kind))
    expect([...kinds]).toEqual(['user', 'uts'])
    expect((await namespaces({ kinds: NS.IPC })).every(({ kind }) => kind === 'ipc')).toBe(true)
  })

  test('without holders, the same namespaces', async () => {
    using set = anyonesSet(['net'])
    const one = (await namespaces({ holders: false })).find(({ id }) => id === set.id('net'))
    expect(one?.holders).toEqual([])
    if (one !== undefined) expectOpens(one)
  })

  test('its unique id, which the set has too', async () => {
    using set = anyonesSet(['net'])
    expect((await found(set.id('net'))).uniqueId).toBe(set.uniqueId('net'))
  })

  test('the user who created the owner', async () => {
    using set = NamespaceSet.unshareSync(['user', 'net'], { mapUser: 'root' })
    expect((await found(set.id('user'))).ownerUid).toBe(process.getuid?.())
    expect((await found(set.id('net'))).ownerUid).toBe(process.getuid?.())
  })
})

describe('hiding places', () => {
  test('a process inside', async () => {
    using set = anyonesSet(['uts'])
    await using inside = await hide('number = 0', set)
    const one = await found(set.id('uts'))
    expect(holderOf(one, 'process')).toEqual(
      expect.objectContaining({ pid: inside.pid, command: 'python3', cgroup: expect.stringMatching(/^\//) }),
    )
    expectOpens(one)
  })

  asRoot('a lone thread of a process', 'only root can enter with a thread', async () => {
    await using hidden = await hide(LONE_THREAD)
    using inside = NamespaceSet.fromThread(hidden.pid, hidden.number, 'uts')
    const id = inside.id()
    inside.close()
    const one = await found(id)
    expect(one.holders).toEqual([{ type: 'thread', pid: hidden.pid, tid: hidden.number, command: 'python3' }])
    expectOpens(one)
  })

  test('a descriptor of another process, and nothing else', async () => {
    await using hidden = await hide(heldByDescriptor('net', NS.NET))
    const id = namespaceOfDescriptor(hidden)
    const one = await found(id)
    expect(one.holders).toEqual([{ type: 'descriptor', pid: hidden.pid, fd: hidden.number, command: 'python3' }])
    expectOpens(one)
  })

  test('a socket of another process, and nothing else', async (context) => {
    if (!isRoot) context.skip('needs root: the program enters a network and comes back')
    await using hidden = await hide(SOCKET_ELSEWHERE)
    const all = await namespaces({ kinds: 'net' })
    const one = all.find(({ holders }) => holders.some((each) => each.type === 'socket' && each.pid === hidden.pid))
    expect(one?.holders).toEqual([{ type: 'socket', pid: hidden.pid, fd: hidden.number, command: 'python3' }])
    if (one !== undefined) expectOpens(one)
  })

  asRoot('a bind mount here', 'mounts require root', async () => {
    using directory = temporaryDirectory()
    using set = NamespaceSet.unshareSync('uts')
    const [id, path] = [set.id(), directory.file('two words')]
    await set.mount({ uts: path })
    set.close()
    try {
      const one = await found(id)
      using here = NamespaceSet.current('mnt')
      expect(one.holders).toContainEqual({ type: 'mount', path, mounts: here.id() })
      expect(typesOf(one)).toEqual(['mount'])
      expectOpens(one)
    } finally {
      await NamespaceSet.unmount(path)
    }
  })

  test('a bind mount in another mount namespace, in which a process is', async () => {
    using directory = temporaryDirectory()
    using set = anyonesSet(['mnt', 'uts'])
    const [id, path] = [set.id('uts'), directory.file('uts')]
    await using hidden = await hide(mountsOwnUts(path), set)
    const mounts = set.id('mnt')
    set.close()
    const one = await found(id)
    expect(one.holders).toEqual([{ type: 'mount', path, mounts }])
    expect(hidden.pid).toBeGreaterThan(0)
    expectOpens(one)
  })

  test('a bind mount in a mount namespace that only a descriptor holds', async () => {
    using directory = temporaryDirectory()
    using set = anyonesSet(['mnt', 'uts'])
    const [id, path] = [set.id('uts'), directory.file('uts')]
    await (await hide(mountsOwnUts(path), set))[Symbol.asyncDispose]()
    using mounts = set.dup('mnt')
    set.close()
    const all = await namespaces()
    if (!isRoot) {
      // An ordinary user may not enter it, and so cannot find what is mounted there.
      expect(all.incomplete).toContainEqual(expect.objectContaining({ what: 'mounts', code: 'EPERM' }))
      return
    }
    const one = all.find((each) => each.id === id)
    expect(one?.holders).toEqual([{ type: 'mount', path, mounts: mounts.id() }])
    if (one !== undefined) expectOpens(one)
  })

  test('a user namespace that only the namespaces below it hold', async () => {
    using set = NamespaceSet.unshareSync(['user', 'net'], { mapUser: 'root' })
    const [user, net] = [set.id('user'), set.id('net')]
    using below = set.dup('net')
    set.close()
    const one = await found(user)
    expect(one.holders).toEqual([{ type: 'namespace', id: net }])
    expect(below.id()).toBe(net)
    expectOpens(one)
  })

  test('a pid namespace in which there is no process yet, by the one whose children will be in it', async ({
    skip,
  }) => {
    if (isBefore(6, 11)) skip('before Linux 6.11 the kernel shows it only once there is a process inside')
    await using hidden = await hide(CHILDREN_ELSEWHERE)
    const all = await namespaces({ kinds: 'pid' })
    const one = all.find(({ holders }) => holders.some((each) => each.type === 'children' && each.pid === hidden.pid))
    expect(one?.holders).toEqual([{ type: 'children', pid: hidden.pid, command: 'python3' }])
    if (one !== undefined) expectOpens(one)
  })

  test('a pid namespace that only the one below it holds, which a descriptor holds', async () => {
    await using hidden = await hide(PID_NAMESPACE_ABOVE)
    const all = await namespaces({ kinds: 'pid' })
    const one = all.find(({ id }) => id === `pid:[${hidden.number}]`)
    const below = all.find(({ parent }) => parent === one?.id)
    expect(one?.holders).toEqual([{ type: 'namespace', id: below?.id }])
    expect(below && typesOf(below)).toEqual(['descriptor'])
    if (one !== undefined) expectOpens(one)
  })

  test('a pid namespace by one below it, and by the process whose children will be in it', async () => {
    await using hidden = await hide(
      `unshare(${NS.USER | NS.PID})\nnumber = 0\nif os.fork() == 0:\n    unshare(${NS.PID})\n    if os.fork() == 0: sys.stdin.read()\n    else: os.wait()\n    os._exit(0)\n`,
    )
    const all = await namespaces({ kinds: 'pid' })
    const upper = all.find(({ holders }) => holders.some((each) => each.type === 'children' && each.pid === hidden.pid))
    const lower = all.find(({ parent }) => parent !== undefined && parent === upper?.id)
    expect(upper?.holders).toContainEqual({ type: 'namespace', id: lower?.id })
    if (upper !== undefined) expectOpens(upper)
  })
})

describe('names', () => {
  asRoot('of ip-netns(8)', 'names are mounts, which require root', async () => {
    const name = `nsset-test-${process.pid}-found`
    execFileSync('ip', ['netns', 'add', name])
    try {
      const named = (await namespaces({ kinds: 'net' })).find(({ names }) => names.some((each) => each.name === name))
      using set = netns.open(name)
      expect(named?.id).toBe(set.id())
      expect(named?.names).toEqual([{ type: 'netns', name }])
    } finally {
      execFileSync('ip', ['netns', 'delete', name])
    }
  })
})

describe('the list', () => {
  test('is an array whose methods return ordinary arrays', async () => {
    const all = await namespaces({ kinds: 'net' })
    expect(Array.isArray(all)).toBe(true)
    expect(all.filter(() => true).constructor).toBe(Array)
    expect([...all]).toHaveLength(all.length)
  })

  test('prints a line for each namespace', async () => {
    using set = anyonesSet(['net'])
    const lines = inspect(await namespaces()).split('\n')
    const line = lines.find((each) => each.startsWith(set.id('net')))
    expect(line).toMatch(new RegExp(`^net:\\[\\d+\\] uid ${process.getuid?.()}, descriptor \\d+ of .* ${process.pid}`))
  })

  test('prints the name of a process without what controls a terminal', async () => {
    using set = anyonesSet(['uts'])
    await using inside = await hide(`number = 0\nlibc.prctl(15, b'\\x1b[31m\\nred', 0, 0, 0)`, set)
    const lines = inspect(await namespaces({ kinds: 'uts' })).split('\n')
    const line = lines.find((each) => each.startsWith(set.id('uts')))
    expect(line).toContain(`\\u{1b}[31m\\u{a}red ${inside.pid}`)
  })

  test('draws a tree by owners', async () => {
    using set = NamespaceSet.unshareSync(['user', 'net'], { mapUser: 'root' })
    const drawn = inspect((await namespaces()).tree()).split('\n')
    const at = drawn.findIndex((line) => line.includes(set.id('user')))
    expect(drawn[at + 1]).toMatch(/└─ /)
    expect(drawn[at + 1]).toContain(set.id('net'))
  })

  test('becomes JSON', async () => {
    using set = anyonesSet(['net'])
    const plain = JSON.parse(JSON.stringify(await namespaces())) as { id: string; uniqueId?: string }[]
    expect(plain.find(({ id }) => id === set.id('net'))?.uniqueId).toBe(set.uniqueId('net')?.toString())
  })
})

describe('what stays hidden is said', () => {
  asRoot(
    'nothing, for root in the first namespaces, but processes that the machine protects',
    'root sees all',
    async () => {
      const isProtected = (pid: string) => {
        try {
          readlinkSync(`/proc/${pid}/ns/net`)
          return false
        } catch (error) {
          return (error as NodeJS.ErrnoException).code === 'EACCES' && existsSync(`/proc/${pid}/ns`)
        }
      }
      const count = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && isProtected(name)).length
      const expected = count === 0 ? [] : [expect.objectContaining({ what: 'processes', code: 'EACCES', count })]
      expect((await namespaces()).incomplete).toEqual(expected)
    },
  )

  asOrdinaryUser('processes of other users', async () => {
    const { incomplete } = await namespaces()
    expect(incomplete).toContainEqual(
      expect.objectContaining({
        what: 'processes',
        code: 'EACCES',
        count: expect.any(Number),
        message: expect.stringContaining('root'),
      }),
    )
  })
})

describe('what changes meanwhile', () => {
  test('processes come and go', async () => {
    using set = anyonesSet(['uts'])
    const busy = set.spawn('sh', ['-c', 'while :; do /bin/true; done'], { stdio: 'ignore' })
    try {
      for (let round = 0; round < 10; round++) {
        const all = await namespaces()
        expect(all.find(({ id }) => id === set.id('uts'))?.holders).toContainEqual(
          expect.objectContaining({ type: 'process', pid: busy.pid }),
        )
      }
    } finally {
      busy.kill('SIGKILL')
    }
  })

  test('a namespace that is gone is not opened, nor another one in its place', async () => {
    const set = anyonesSet(['uts'])
    const one = await found(set.id('uts'))
    set.close()
    // Before Linux 6.18 the new one can have the same inode number, and nothing else tells them apart.
    using _others = one.uniqueId === undefined ? undefined : anyonesSet(['uts'])
    expect(() => one.open()).toThrow(expect.objectContaining({ code: 'ENOENT', kind: 'uts' }))
  })

  test('nothing is left behind', async () => {
    using set = anyonesSet(['net', 'uts'])
    const isOwn = ({ id }: FoundNamespace) => set.kinds.some((kind) => set.id(kind) === id)
    await namespaces()
    const before = resources()
    for (let round = 0; round < 5; round++) {
      const own = (await namespaces({ kinds: ['net', 'uts'] })).filter(isOwn)
      expect(own).toHaveLength(2)
      for (const each of own) each.open().close()
    }
    expect(await growthSince(before)).toEqual({})
  })
})

describe('bad input', () => {
  refuses([
    ['options that are no object', () => namespaces(untyped(1)), type('options')],
    ['an unknown option', () => namespaces(untyped({ kind: 'net' })), value("did you mean 'kinds'")],
    ['an unknown kind', () => namespaces({ kinds: untyped('network') }), value('options.kinds')],
    ['holders that are no boolean', () => namespaces({ holders: untyped('all') }), type('options.holders')],
  ])
})

interface ListedNamespace {
  id: string
  owner: number
  parent: number
  /** How many. */
  processes: number
  /** The oldest of them. */
  pid: number
  /** On which it is mounted. */
  file: string | null
}

type Row = Record<'ns' | 'pns' | 'ons' | 'nprocs' | 'pid', number> & { type: string; nsfs: string | null }

/** Whether the kernel is older than this version. */
function isBefore(major: number, minor: number): boolean {
  const [ownMajor = 0, ownMinor = 0] = release().split('.').map(Number.parseFloat)
  return ownMajor < major || (ownMajor === major && ownMinor < minor)
}

function lsns(): ListedNamespace[] {
  const text = execFileSync('lsns', ['-J', '--output-all'], { encoding: 'utf8', timeout: 60_000 })
  const { namespaces } = JSON.parse(text) as { namespaces: Row[] }
  return namespaces.map(({ ns, type, pns, ons, nprocs, pid, nsfs }) => ({
    ...{ id: `${type}:[${ns}]`, owner: ons, parent: pns },
    ...{ processes: nprocs, pid, file: nsfs },
  }))
}
