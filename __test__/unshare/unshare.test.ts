/** Making new namespaces, of each kind. */
import { readlinkSync } from 'node:fs'
import { type NamespaceKind, NamespaceSet, NS } from 'nsset'
import { expect, test } from 'vitest'
import { growthSince } from '../setup/guards/growth.ts'
import { resources } from '../setup/guards/resources.ts'
import { asOrdinaryUser, asRoot } from '../setup/sets/privilege.ts'

const KINDS: NamespaceKind[] = ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'time', 'user', 'uts']
const OTHERS = KINDS.filter((kind) => kind !== 'user')

/** Where a program inside stands, as /proc shows it from outside. */
async function standsIn(set: NamespaceSet, kind: NamespaceKind): Promise<string> {
  const child = set.spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] })
  const ended = new Promise((resolve) => child.once('close', resolve))
  try {
    return readlinkSync(`/proc/${child.pid}/ns/${kind}`)
  } finally {
    child.stdin?.end()
    await ended
  }
}

async function expectNew(kind: NamespaceKind, make: () => NamespaceSet | Promise<NamespaceSet>): Promise<void> {
  using home = NamespaceSet.current(kind)
  using first = await make()
  using second = await make()
  expect(first.id(kind)).toMatch(new RegExp(`^${kind}:\\[\\d+\\]$`))
  expect(first.id(kind)).not.toBe(home.id())
  expect(second.equals(first, kind)).toBe(false)
  expect(second.equals(home, kind)).toBe(false)
  expect(await standsIn(first, kind)).toBe(first.id(kind))
  expect(readlinkSync(first.path(kind))).toBe(first.id(kind))
}

for (const kind of OTHERS) {
  asRoot(
    `a new ${kind} namespace alone`,
    `a ${kind} namespace without a user namespace takes CAP_SYS_ADMIN`,
    async () => {
      await expectNew(kind, () => NamespaceSet.unshareSync(kind))
      await expectNew(kind, () => NamespaceSet.unshare(kind))
      using set = await NamespaceSet.unshare([kind])
      expect(set.kinds).toEqual([kind])
    },
  )

  test(`a new ${kind} namespace with a new user namespace that owns it`, async () => {
    await expectNew(kind, () => NamespaceSet.unshareSync(['user', kind], { mapUser: 'root' }))
    await expectNew(kind, () => NamespaceSet.unshare(['user', kind], { mapUser: 'root' }))
    using set = await NamespaceSet.unshare(['user', kind], { mapUser: 'root' })
    using owner = set.owner(kind)
    expect(set.kinds).toEqual([kind, 'user'].sort())
    expect(owner.equals(set, 'user')).toBe(true)
  })

  asOrdinaryUser(`${kind} alone is refused, with what to do instead`, async () => {
    const refused = {
      name: 'NamespaceError',
      code: 'EPERM',
      syscall: 'unshare',
      kind,
      message: /unshare 'user' as well/,
    }
    await expect(NamespaceSet.unshare(kind)).rejects.toMatchObject({
      ...refused,
      message: expect.stringMatching(refused.message),
    })
    expect(() => NamespaceSet.unshareSync(kind)).toThrow(refused.message)
  })
}

test('a new user namespace alone', async () => {
  await expectNew('user', () => NamespaceSet.unshareSync('user'))
  await expectNew('user', () => NamespaceSet.unshare('user', { mapUser: 'root' }))
  using set = await NamespaceSet.unshare('user')
  using parent = set.parent('user')
  using home = NamespaceSet.current('user')
  expect(parent.equals(home)).toBe(true)
})

test('all eight at once, named by a mask', async () => {
  const all = Object.values(NS).reduce((mask, flag) => mask | flag, 0)
  using set = await NamespaceSet.unshare(all, { mapUser: 'root' })
  using home = NamespaceSet.current()
  expect(set.kinds).toEqual(KINDS)
  for (const kind of KINDS) expect(set.equals(home, kind), kind).toBe(false)
})

test('the calling thread stays where it is', async () => {
  using before = NamespaceSet.current()
  using set = NamespaceSet.unshareSync(KINDS, { mapUser: 'root', hostname: 'elsewhere' })
  using after = NamespaceSet.current()
  expect(after.equals(before)).toBe(true)
  for (const kind of KINDS) expect(readlinkSync(`/proc/thread-self/ns/${kind}`)).not.toBe(set.id(kind))
})

test('many at the same time are all different', async () => {
  const sets = await Promise.all(
    Array.from({ length: 16 }, () => NamespaceSet.unshare(['user', 'uts'], { mapUser: 'root' })),
  )
  expect(new Set(sets.map((set) => set.id('uts'))).size).toBe(16)
  expect(new Set(sets.map((set) => set.id('user'))).size).toBe(16)
  for (const set of sets) set.close()
})

test('what was made is let go, and what failed left nothing', async () => {
  const round = async (): Promise<void> => {
    NamespaceSet.unshareSync(KINDS, { mapUser: 'root' }).close()
    const set = await NamespaceSet.unshare(KINDS, { mapUser: 'root' })
    set.close()
    const mounts = [{ type: 'tmpfs', target: '/nsset/is/not/here' }]
    await expect(NamespaceSet.unshare(KINDS, { mapUser: 'root', mounts })).rejects.toMatchObject({ code: 'ENOENT' })
    expect(() => NamespaceSet.unshareSync(KINDS, { mapUser: 'root', mounts })).toThrow('ENOENT')
    const maps = { uidMaps: [{ containerId: 0, hostId: 0, size: 0 }] }
    await expect(NamespaceSet.unshare('user', maps)).rejects.toThrow(/^E(INVAL|PERM)/)
  }
  await round()
  const before = resources()
  for (let count = 0; count < 20; count += 1) await round()
  expect(await growthSince(before)).toEqual({})
})

test('an option without its kind is refused', async () => {
  const refused = (option: string) => ({
    name: 'TypeError',
    code: 'ERR_INVALID_ARG_VALUE',
    message: expect.stringContaining(`the option '${option}' needs a new`),
  })
  const maps = [{ containerId: 0, hostId: 0, size: 1 }]
  await expect(NamespaceSet.unshare('net', { hostname: 'x' })).rejects.toMatchObject(refused('hostname'))
  await expect(NamespaceSet.unshare('uts', { loopback: true })).rejects.toMatchObject(refused('loopback'))
  await expect(NamespaceSet.unshare('uts', { propagation: 'slave' })).rejects.toMatchObject(refused('propagation'))
  await expect(NamespaceSet.unshare('pid', { mounts: [{ type: 'proc', target: '/proc' }] })).rejects.toMatchObject(
    refused('mounts'),
  )
  await expect(NamespaceSet.unshare('uts', { root: '/' })).rejects.toMatchObject(refused('root'))
  await expect(NamespaceSet.unshare('uts', { timeOffsets: { boottime: 1 } })).rejects.toMatchObject(
    refused('timeOffsets'),
  )
  await expect(NamespaceSet.unshare('uts', { mapUser: 'root' })).rejects.toMatchObject(refused('mapUser'))
  await expect(NamespaceSet.unshare('uts', { uidMaps: maps })).rejects.toMatchObject(refused('uidMaps'))
  await expect(NamespaceSet.unshare('uts', { gidMaps: maps })).rejects.toMatchObject(refused('gidMaps'))
  await expect(NamespaceSet.unshare('uts', { setgroups: 'deny' })).rejects.toMatchObject(refused('setgroups'))
})
