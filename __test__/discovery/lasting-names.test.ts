/** Namespaces by their unique id and by a socket, and sets that are composed of others. */
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { createServer } from 'node:net'
import { release } from 'node:os'
import { NamespaceSet, netns } from 'nsset'
import { describe, expect, type TestContext, test } from 'vitest'
import { growthSince } from '../setup/guards/growth.ts'
import { resources } from '../setup/guards/resources.ts'
import { anyonesSet } from '../setup/sets/anyones-set.ts'
import { expectFailure, failureOf, range, refuses, system, type, untyped, value } from '../setup/sets/failure.ts'
import { asRoot } from '../setup/sets/privilege.ts'

/** Returns the id of the uts namespace, or skips the test on kernels without unique ids. */
function idOf(set: NamespaceSet, context: TestContext): bigint {
  const id = set.uniqueId('uts')
  if (id === undefined) context.skip(`Linux ${release()} has no unique ids: 6.18 introduced them`)
  return id as bigint
}

/** A server on the loopback of the calling thread, and the number of its descriptor. */
async function listening() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { fd } = (server as unknown as { _handle: { fd: number } })._handle
  const close = async () => {
    server.close()
    await once(server, 'close')
  }
  return { fd, server, [Symbol.asyncDispose]: close }
}

describe('fromId', () => {
  test.each(['net', 'uts', 'ipc'] as const)('opens a %s namespace that this process holds', async (kind) => {
    using set = anyonesSet([kind])
    using one = set.dup(kind)
    const id = one.uniqueId()
    if (id === undefined) {
      expectFailure(await failureOf(() => NamespaceSet.fromId(1n, kind)), system('EOPNOTSUPP', 'Linux 6.18'))
      return
    }
    using same = await NamespaceSet.fromId(id, kind)
    expect(same.equals(one)).toBe(true)
  })

  test('fails with ENOENT when the namespace is gone, also if another one has its inode number', async (context) => {
    const set = anyonesSet(['uts'])
    const id = idOf(set, context)
    set.close()
    using _others = anyonesSet(['uts'])
    expectFailure(await failureOf(() => NamespaceSet.fromId(id, 'uts')), system('ENOENT', 'uts'))
  })

  test('refuses a namespace of another kind', async (context) => {
    using set = anyonesSet(['uts'])
    const id = idOf(set, context)
    const failure = await failureOf(() => NamespaceSet.fromId(id, 'net'))
    expectFailure(failure, system('EINVAL', 'uts namespace', 'net namespace was expected'))
  })

  test('ids of different namespaces differ, and those of the same namespace do not', (context) => {
    using first = anyonesSet(['uts'])
    using second = anyonesSet(['uts'])
    using again = first.dup('uts')
    idOf(first, context)
    expect(again.uniqueId()).toBe(first.uniqueId('uts'))
    expect(second.uniqueId('uts')).not.toBe(first.uniqueId('uts'))
  })

  refuses([
    ['an id that is a number', () => NamespaceSet.fromId(untyped(1), 'net'), type('uniqueId', 'bigint')],
    ['the id 0', () => NamespaceSet.fromId(0n, 'net'), value('uniqueId')],
    ['an id with 65 bits', () => NamespaceSet.fromId(1n << 64n, 'net'), value('uniqueId')],
    ['no kind', () => NamespaceSet.fromId(1n, untyped(undefined)), type('kind')],
  ])
})

describe('fromSocket', () => {
  test('opens the network of a socket that was created here', async () => {
    await using outside = await listening()
    using here = NamespaceSet.current('net')
    using set = NamespaceSet.fromSocket(outside.fd)
    expect(set.id()).toBe(here.id())
    expect(set.kinds).toEqual(['net'])
  })

  test('opens the network of a socket that was created inside', async () => {
    using inside = anyonesSet(['net'], { loopback: true })
    const server = createServer()
    await inside.network.listen(server, { port: 0, host: '127.0.0.1' })
    try {
      using set = NamespaceSet.fromSocket((server as unknown as { _handle: { fd: number } })._handle.fd)
      expect(set.id()).toBe(inside.id('net'))
    } finally {
      server.close()
      await once(server, 'close')
    }
  })

  test('refuses a file, a closed descriptor and what is no number', async () => {
    const fd = openSync('/dev/null', 'r')
    expectFailure(await failureOf(() => NamespaceSet.fromSocket(fd)), system('ENOTSOCK', 'not a socket'))
    closeSync(fd)
    expectFailure(await failureOf(() => NamespaceSet.fromSocket(1_000_000)), system('EBADF'))
    expectFailure(await failureOf(() => NamespaceSet.fromSocket(untyped('3'))), type('fd'))
    expectFailure(await failureOf(() => NamespaceSet.fromSocket(-1)), range('fd'))
  })
})

describe('compose', () => {
  test('takes the namespace of each kind from another set, and needs neither of them any more', async () => {
    const [first, second] = [anyonesSet(['net', 'uts']), anyonesSet(['net', 'ipc'])]
    using set = NamespaceSet.compose({ net: first, ipc: second })
    const expected = [first.id('net'), second.id('ipc')]
    first.close()
    second.close()
    expect(set.kinds).toEqual(['ipc', 'net'])
    expect([set.id('net'), set.id('ipc')]).toEqual(expected)
  })

  test('runs a program in namespaces of both', async () => {
    using base = NamespaceSet.unshareSync('user', { mapUser: 'root' })
    using named = base.unshareSync('uts', { hostname: 'composed' })
    using networked = base.unshareSync('net')
    using set = NamespaceSet.compose({ user: base, uts: named, net: networked })
    expect((await set.execFile('hostname')).stdout).toBe('composed\n')
    expect((await set.execFile('readlink', ['/proc/self/ns/net'])).stdout.trim()).toBe(networked.id('net'))
  })

  test('keeps the pid namespace alive in which a program runs', async () => {
    const owner = NamespaceSet.unshareSync(['user', 'pid'], { mapUser: 'root' })
    await using set = NamespaceSet.compose({ user: owner, pid: owner })
    owner.close()
    expect((await set.execFile('sh', ['-c', 'echo $$'])).stdout).toMatch(/^\d+\n$/)
  })

  asRoot('keeps the name of the network', 'names are mounts, which require root', async () => {
    const name = `nsset-test-${process.pid}-composed`
    await using named = await netns.create(name, { temporary: true })
    using uts = NamespaceSet.unshareSync('uts')
    using set = NamespaceSet.compose({ net: named, uts })
    expect((await set.execFile('ip', ['netns', 'identify'])).stdout.trim()).toBe(name)
  })

  test('leaves nothing behind', async () => {
    using first = anyonesSet(['net', 'uts'])
    using second = anyonesSet(['ipc'])
    const before = resources()
    for (let round = 0; round < 20; round++) NamespaceSet.compose({ net: first, uts: first, ipc: second }).close()
    expect(await growthSince(before)).toEqual({})
  })

  test('fails for a set that lacks the kind, and for a closed one', async () => {
    using first = anyonesSet(['net'])
    const second = anyonesSet(['uts'])
    expect(() => NamespaceSet.compose({ net: first, ipc: second })).toThrow(
      expect.objectContaining({ code: 'ERR_NSSET_NOT_IN_SET', kind: 'ipc' }),
    )
    second.close()
    expect(() => NamespaceSet.compose({ net: first, uts: second })).toThrow(
      expect.objectContaining({ code: 'ERR_NSSET_CLOSED' }),
    )
  })

  refuses([
    ['no set', () => NamespaceSet.compose({}), value('at least one kind')],
    ['what is no object', () => NamespaceSet.compose(untyped([])), type('parts')],
    ['an unknown kind', () => NamespaceSet.compose(untyped({ nett: 1 })), value("did you mean 'net'")],
    ['what is no set', () => NamespaceSet.compose({ net: untyped(process) }), type('parts.net', 'NamespaceSet')],
  ])
})
