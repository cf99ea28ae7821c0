/** The default ids of a program in a user namespace: the caller's if they are mapped, else root. */
import { readFileSync } from 'node:fs'
import { type IdMap, NamespaceSet } from 'nsset'
import { expect, test } from 'vitest'
import { ownRange } from '../setup/oracles/subordinate-ids.ts'
import { asRoot, isRoot } from '../setup/sets/privilege.ts'

const uid = process.getuid?.() ?? -1
const gid = process.getgid?.() ?? -1
const OVERFLOW = Number(readFileSync('/proc/sys/kernel/overflowuid', 'utf8'))

const map = (containerId: number, hostId: number, size: number): IdMap => ({ containerId, hostId, size })

/** Where ids begin that this user may map beside its own. */
const spareUids = isRoot ? 100_000 : ownRange('/etc/subuid').start
const spareGids = isRoot ? 100_000 : ownRange('/etc/subgid').start

async function whoIs(uidMaps: IdMap[], gidMaps: IdMap[]): Promise<{ uid: number; gid: number; capabilities: string }> {
  using set = await NamespaceSet.unshare('user', { uidMaps, gidMaps })
  const status = (await set.execFile('cat', ['/proc/self/status'])).stdout
  const field = (name: string): string[] => new RegExp(`^${name}:\\t(.*)$`, 'm').exec(status)?.[1]?.split('\t') ?? []
  const [uids, gids] = [new Set(field('Uid').map(Number)), new Set(field('Gid').map(Number))]
  expect([uids.size, gids.size], 'real, effective, saved and file system ids are one').toEqual([1, 1])
  return { uid: [...uids][0] ?? -1, gid: [...gids][0] ?? -1, capabilities: field('CapEff')[0] ?? '' }
}

const NONE = '0000000000000000'

test('the caller’s own id, where it has a name inside', async () => {
  const inside = await whoIs([map(2000, uid, 1)], [map(3000, gid, 1)])
  expect(inside).toEqual({ uid: 2000, gid: 3000, capabilities: NONE })
})

test('the caller’s own id, where there is a root beside it, too', async () => {
  const inside = await whoIs([map(0, spareUids, 1), map(2000, uid, 1)], [map(0, spareGids, 1), map(3000, gid, 1)])
  expect(inside).toEqual({ uid: 2000, gid: 3000, capabilities: NONE })
})

test('root inside, where the caller has no name there, with all that root may', async () => {
  const inside = await whoIs([map(0, spareUids, 10)], [map(0, spareGids, 10)])
  expect(inside).toMatchObject({ uid: 0, gid: 0 })
  expect(inside.capabilities).not.toBe(NONE)
})

test('root inside, where the caller has no name there and the maps hold 65534, as those of mapUser auto', async () => {
  const inside = await whoIs([map(0, spareUids, 65_536)], [map(0, spareGids, 65_536)])
  expect(inside).toMatchObject({ uid: 0, gid: 0 })
  expect(inside.capabilities).not.toBe(NONE)
})

test('the caller’s own id, where that is 65534 inside, beside a root', async () => {
  const inside = await whoIs([map(0, spareUids, 1), map(65_534, uid, 1)], [map(0, spareGids, 1), map(65_534, gid, 1)])
  expect(inside).toEqual({ uid: 65_534, gid: 65_534, capabilities: NONE })
})

test('65534, without id mappings', async () => {
  expect(await whoIs([], [])).toMatchObject({ uid: OVERFLOW, gid: OVERFLOW })
})

test('an error, where there are maps and neither the caller nor root is in them: it would keep its rights outside', async () => {
  await expect(whoIs([map(7, spareUids, 1)], [map(7, spareGids, 1)])).rejects.toMatchObject({
    code: 'EINVAL',
    syscall: 'setresgid',
    kind: 'user',
    message: expect.stringContaining('map one of them'),
  })
})

test('user and group are found each for itself', async () => {
  expect(await whoIs([map(2000, uid, 1)], [map(0, spareGids, 10)])).toMatchObject({ uid: 2000, gid: 0 })
  expect(await whoIs([map(0, spareUids, 10)], [map(3000, gid, 1)])).toMatchObject({ uid: 0, gid: 3000 })
})

asRoot('root’s groups of the outside are not taken along', 'an ordinary user cannot drop groups', async () => {
  using set = await NamespaceSet.unshare('user', { uidMaps: [map(0, 100_000, 10)], gidMaps: [map(0, 100_000, 10)] })
  expect((await set.execFile('id', ['-G'])).stdout).toBe('0\n')
})
