/** A set: its kinds, its identity, its paths, and how its namespaces are related. */
import { readlinkSync, statSync } from 'node:fs'
import { inspect } from 'node:util'
import { NamespaceSet, NS } from 'nsset'
import { describe, expect, test } from 'vitest'
import { ALL_KINDS } from '../setup/guards/thread-place.ts'
import { nsenter } from '../setup/oracles/nsenter.ts'
import { asRoot } from '../setup/sets/privilege.ts'

describe('kinds', () => {
  test('are names in the order of /proc/PID/ns, and a mask', () => {
    using set = NamespaceSet.current(['uts', 'net', 'cgroup'])
    expect(set.kinds).toEqual(['cgroup', 'net', 'uts'])
    expect(set.flags).toBe(NS.CGROUP | NS.NET | NS.UTS)
    expect(set.has('net')).toBe(true)
    expect(set.has('user')).toBe(false)
  })

  test('returns a copy of the list', () => {
    using set = NamespaceSet.current(['uts', 'net'])
    set.kinds.push('user')
    expect(set.kinds).toEqual(['net', 'uts'])
  })

  test('treats the mask 0 as all kinds, as in gonso', () => {
    using set = NamespaceSet.current(['uts', 'net'])
    using all = NamespaceSet.current(0)
    using copy = set.dup(0)
    using fds = set.fds(0)
    expect(all.kinds).toEqual(ALL_KINDS)
    expect(copy.kinds).toEqual(['net', 'uts'])
    expect([...fds].map(([kind]) => kind)).toEqual(['net', 'uts'])
  })

  test('NS has the values of <linux/sched.h>', () => {
    expect(NS).toEqual({
      CGROUP: 0x02000000,
      IPC: 0x08000000,
      MNT: 0x00020000,
      NET: 0x40000000,
      PID: 0x20000000,
      TIME: 0x00000080,
      USER: 0x10000000,
      UTS: 0x04000000,
    })
    expect(Object.isFrozen(NS)).toBe(true)
  })
})

describe('identity', () => {
  test('id equals the link of /proc/PID/ns', () => {
    using set = NamespaceSet.current()
    for (const kind of ALL_KINDS) expect(set.id(kind)).toBe(readlinkSync(`/proc/self/ns/${kind}`))
  })

  test('stat equals stat(2)', () => {
    using set = NamespaceSet.current()
    for (const kind of ALL_KINDS) {
      const { dev, ino } = statSync(`/proc/self/ns/${kind}`, { bigint: true })
      expect(set.stat(kind)).toEqual({ dev, ino })
    }
  })

  test('a set of one kind requires no kind argument; a set of several does', () => {
    using one = NamespaceSet.current('uts')
    expect(one.id()).toBe(one.id('uts'))
    expect(one.stat()).toEqual(one.stat('uts'))
    expect(one.path()).toBe(one.path('uts'))
    using two = NamespaceSet.current(['net', 'uts'])
    for (const ask of [() => two.id(), () => two.stat(), () => two.path(), () => two.owner(), () => two.parent()]) {
      expect(ask).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE', message: expect.stringContaining('net, uts') }),
      )
    }
  })

  test('prints as its namespaces', () => {
    using set = NamespaceSet.current(['uts', 'net'])
    const text = `NamespaceSet(${readlinkSync('/proc/self/ns/net')} ${readlinkSync('/proc/self/ns/uts')})`
    expect(String(set)).toBe(text)
    expect(inspect(set)).toBe(text)
    expect(inspect({ set })).toBe(`{ set: ${text} }`)
    set.close()
    expect(String(set)).toBe('NamespaceSet(closed)')
    expect(inspect(set)).toBe('NamespaceSet(closed)')
  })
})

describe('path', () => {
  test('leads nsenter(1) into the namespaces', () => {
    using set = NamespaceSet.unshareSync(['user', 'net', 'uts'], { mapUser: 'root', hostname: 'found-by-path' })
    expect(nsenter(set, 'hostname')).toBe('found-by-path')
    for (const kind of set.kinds) expect(nsenter(set, 'readlink', `/proc/self/ns/${kind}`)).toBe(set.id(kind))
  })

  asRoot('requires no user namespace if the caller may enter without: nsenter --net', 'entering a plain net', () => {
    using set = NamespaceSet.unshareSync('net')
    expect(nsenter(set, 'ip', '-brief', 'link')).toMatch(/^lo\s+DOWN/)
  })

  test('is valid as long as the set is open', () => {
    const set = NamespaceSet.fromPath('/proc/self/ns/uts')
    const path = set.path()
    expect(readlinkSync(path)).toBe(set.id())
    set.close()
    expect(() => readlinkSync(path)).toThrow(expect.objectContaining({ code: 'ENOENT' }))
  })
})

describe('equals()', () => {
  test('compares device and inode, whatever the source of the sets', () => {
    using one = NamespaceSet.current()
    using other = NamespaceSet.fromPid(process.pid)
    expect(one.equals(other)).toBe(true)
    expect(one.equals(one)).toBe(true)
  })

  test('compares the requested kinds, or all that either has', () => {
    using home = NamespaceSet.current(['user', 'uts', 'net'])
    using set = NamespaceSet.unshareSync(['user', 'uts'], { mapUser: 'root' })
    using mixed = home.dup('net')
    expect(home.equals(set)).toBe(false)
    expect(home.equals(mixed)).toBe(false)
    expect(mixed.equals(home)).toBe(false)
    expect(home.equals(mixed, 'net')).toBe(true)
    expect(home.equals(mixed, ['net', 'uts'])).toBe(false)
    expect(home.equals(set, NS.UTS)).toBe(false)
  })
})

describe('owner and parent', () => {
  test('a user namespace created with other namespaces owns them', () => {
    using set = NamespaceSet.unshareSync(['user', 'net', 'uts', 'ipc'], { mapUser: 'root' })
    for (const kind of ['net', 'uts', 'ipc'] as const) {
      using owner = set.owner(kind)
      expect(owner.kinds).toEqual(['user'])
      expect(owner.equals(set, 'user'), kind).toBe(true)
    }
  })

  test('the parent of a new user namespace is the one in which it was created, at any depth', () => {
    using outer = NamespaceSet.unshareSync('user', { mapUser: 'root' })
    using inner = outer.unshareSync('user', { mapUser: 'root' })
    using above = inner.parent()
    using top = above.parent()
    using home = NamespaceSet.current('user')
    expect(above.equals(outer)).toBe(true)
    expect(top.equals(home)).toBe(true)
    using owner = inner.owner()
    expect(owner.equals(outer)).toBe(true)
  })

  test('the parent of a new pid namespace is that of its creator', () => {
    using set = NamespaceSet.unshareSync(['user', 'pid'], { mapUser: 'root' })
    using above = set.parent('pid')
    using home = NamespaceSet.current('pid')
    expect(above.equals(home)).toBe(true)
    expect(set.equals(home, 'pid')).toBe(false)
  })

  test('namespaces above the caller’s are hidden by the kernel, and the error says so', () => {
    using home = NamespaceSet.current(['pid', 'user'])
    for (const kind of home.kinds) {
      expect(() => home.parent(kind)).toThrow(
        expect.objectContaining({
          name: 'NamespaceError',
          code: 'EPERM',
          kind,
          syscall: 'ioctl(NS_GET_PARENT)',
          message: expect.stringContaining('hides'),
        }),
      )
    }
  })

  test('only user and pid have parents', () => {
    using set = NamespaceSet.current()
    for (const kind of ALL_KINDS.filter((one) => one !== 'user' && one !== 'pid')) {
      expect(() => set.parent(kind), kind).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE', message: expect.stringContaining(`'${kind}'`) }),
      )
    }
  })
})
