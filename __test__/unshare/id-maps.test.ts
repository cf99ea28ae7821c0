/** Who is who in a new user namespace: user_namespaces(7). */
import { execFileSync } from 'node:child_process'
import { chmodSync, statSync, writeFileSync } from 'node:fs'
import { type IdMap, NamespaceSet, type UnshareOptions } from 'nsset'
import { describe, expect, test } from 'vitest'
import { firstRange, ownRange } from '../setup/oracles/subordinate-ids.ts'
import { askPlainNode } from '../setup/programs/plain-node.ts'
import { asOrdinaryUser, asRoot } from '../setup/sets/privilege.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'

const uid = process.getuid?.() ?? -1
const gid = process.getgid?.() ?? -1

/** What the kernel says the maps are, and who a program inside is. */
interface Inside {
  uids: number[][]
  gids: number[][]
  setgroups: string
  uid: number
  gid: number
}

async function look(options: UnshareOptions): Promise<Inside> {
  using set = await NamespaceSet.unshare('user', options)
  const read = async (file: string): Promise<string> => (await set.execFile('cat', [`/proc/self/${file}`])).stdout
  const whoIs = async (flag: string): Promise<number> => Number((await set.execFile('id', [flag])).stdout)
  return {
    uids: parseMap(await read('uid_map')),
    gids: parseMap(await read('gid_map')),
    setgroups: (await read('setgroups')).trim(),
    uid: await whoIs('-u'),
    gid: await whoIs('-g'),
  }
}

/** The same of unshare(1). */
function unshareProgram(...flags: string[]): Pick<Inside, 'uids' | 'gids' | 'setgroups'> {
  const read = (file: string): string =>
    execFileSync('unshare', ['--user', ...flags, 'cat', `/proc/self/${file}`], { encoding: 'utf8', timeout: 10_000 })
  return { uids: parseMap(read('uid_map')), gids: parseMap(read('gid_map')), setgroups: read('setgroups').trim() }
}

function parseMap(text: string): number[][] {
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => line.trim().split(/\s+/).map(Number))
}

const map = (containerId: number, hostId: number, size: number): IdMap => ({ containerId, hostId, size })

describe('mapUser', () => {
  test("'root': the caller is root inside, as with unshare --map-root-user", async () => {
    const inside = await look({ mapUser: 'root' })
    expect(inside).toMatchObject({ uids: [[0, uid, 1]], gids: [[0, gid, 1]], uid: 0, gid: 0 })
    const theirs = unshareProgram('--map-root-user')
    expect([inside.uids, inside.gids]).toEqual([theirs.uids, theirs.gids])
  })

  test("'current': the caller keeps its ids, as with unshare --map-current-user", async () => {
    const inside = await look({ mapUser: 'current' })
    expect(inside).toMatchObject({ uids: [[uid, uid, 1]], gids: [[gid, gid, 1]], uid, gid })
    const theirs = unshareProgram('--map-current-user')
    expect([inside.uids, inside.gids]).toEqual([theirs.uids, theirs.gids])
  })

  test('a number: the caller has that user and group id', async () => {
    expect(await look({ mapUser: 4711 })).toMatchObject({
      uids: [[4711, uid, 1]],
      gids: [[4711, gid, 1]],
      uid: 4711,
      gid: 4711,
    })
    expect(await look({ mapUser: 65534 })).toMatchObject({ uids: [[65534, uid, 1]], uid: 65534, gid: 65534 })
    expect(await look({ mapUser: 4294967294 })).toMatchObject({ uids: [[4294967294, uid, 1]], uid: 4294967294 })
  })

  test("'auto': the first subordinate ranges from 0 on, or an error that says how to get some", async () => {
    const [uids, gids] = [firstRange('/etc/subuid'), firstRange('/etc/subgid')]
    const made = look({ mapUser: 'auto' })
    if (uids === undefined || gids === undefined) {
      const error = {
        code: 'ENOENT',
        path: /etc.subuid|subgid/,
        message: expect.stringContaining('usermod --add-subuids'),
      }
      await expect(made).rejects.toMatchObject({ ...error, path: expect.stringMatching(error.path) })
    } else {
      expect(await made).toMatchObject({ uids: [[0, uids.start, uids.count]], gids: [[0, gids.start, gids.count]] })
    }
  })

  test('goes without uidMaps and gidMaps only', async () => {
    const both = NamespaceSet.unshare('user', { mapUser: 'root', uidMaps: [map(0, uid, 1)] })
    await expect(both).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' })
  })
})

describe('uidMaps and gidMaps', () => {
  test('are two maps, each as it was given', async () => {
    const inside = await look({ uidMaps: [map(5, uid, 1)], gidMaps: [map(6, gid, 1)] })
    expect(inside).toMatchObject({ uids: [[5, uid, 1]], gids: [[6, gid, 1]], uid: 5, gid: 6 })
  })

  test('may be left out, each or both', async () => {
    expect(await look({ uidMaps: [map(5, uid, 1)] })).toMatchObject({ uids: [[5, uid, 1]], gids: [], uid: 5 })
    expect(await look({ gidMaps: [map(6, gid, 1)] })).toMatchObject({ uids: [], gids: [[6, gid, 1]], gid: 6 })
    expect(await look({})).toMatchObject({ uids: [], gids: [] })
  })

  asRoot('take several ranges, up to the kernel’s 340', 'maps ids that /etc/subuid gives to no user', async () => {
    const few = [map(0, 0, 1), map(1, 100_000, 65_535), map(70_000, 300_000, 5)]
    const inside = await look({ uidMaps: few, gidMaps: few })
    const lines = few.map(({ containerId, hostId, size }) => [containerId, hostId, size])
    expect([inside.uids, inside.gids]).toEqual([lines, lines])

    const many = Array.from({ length: 340 }, (_, index) => map(index, 2 * index, 1))
    const full = await look({ uidMaps: many, gidMaps: many })
    expect(full.uids).toEqual(many.map(({ containerId, hostId, size }) => [containerId, hostId, size]))
    expect(full.gids).toEqual(full.uids)
    const oneMore = [...many, map(340, 680, 1)]
    await expect(look({ uidMaps: oneMore })).rejects.toMatchObject({
      code: 'EINVAL',
      message: expect.stringContaining('340'),
    })
  })

  asRoot('take the whole range of ids', 'maps ids that /etc/subuid gives to no user', async () => {
    const all = [map(0, 0, 4294967295)]
    expect(await look({ uidMaps: all, gidMaps: all })).toMatchObject({ uids: [[0, 0, 4294967295]], uid: 0, gid: 0 })
  })

  const wrong: [string, IdMap[]][] = [
    ['overlap inside', [map(0, 100_000, 10), map(5, 100_100, 10)]],
    ['overlap outside', [map(0, 100_000, 10), map(20, 100_005, 10)]],
    ['pass the last id inside', [map(4294967290, 100_000, 100)]],
    ['pass the last id outside', [map(0, 4294967290, 100)]],
    ['are empty', [map(0, 100_000, 0)]],
  ]
  for (const [what, maps] of wrong) {
    asRoot(
      `that ${what} are the kernel’s EINVAL, explained`,
      'newuidmap refuses them before the kernel does',
      async () => {
        const refused = {
          name: 'NamespaceError',
          code: 'EINVAL',
          kind: 'user',
          message: expect.stringContaining('overlap'),
        }
        await expect(look({ uidMaps: maps })).rejects.toMatchObject({ ...refused, syscall: 'uid_map' })
        await expect(look({ gidMaps: maps })).rejects.toMatchObject({ ...refused, syscall: 'gid_map' })
      },
    )

    asOrdinaryUser(`that ${what} are refused by newuidmap, in its words`, async () => {
      const words = expect.stringMatching(/: newuidmap: .*(Invalid argument|overflow|not allowed)/)
      const refused = {
        name: 'NamespaceError',
        code: expect.stringMatching(/^E(INVAL|PERM)$/),
        kind: 'user',
        message: words,
      }
      await expect(look({ uidMaps: maps })).rejects.toMatchObject({ ...refused, syscall: 'newuidmap' })
    })
  }

  test('with ids that no kernel has are refused before it sees them', async () => {
    for (const id of [-1, 0.5, 2 ** 32, Number.NaN]) {
      const refused = { name: 'RangeError', code: 'ERR_INVALID_ARG_VALUE' }
      await expect(look({ uidMaps: [map(id, 0, 1)] })).rejects.toMatchObject(refused)
      await expect(look({ gidMaps: [map(0, id, 1)] })).rejects.toMatchObject(refused)
      await expect(look({ uidMaps: [map(0, 0, id)] })).rejects.toMatchObject(refused)
      await expect(look({ mapUser: id })).rejects.toMatchObject(refused)
    }
  })
})

describe('setgroups', () => {
  test("'deny' is for good", async () => {
    expect((await look({ mapUser: 'root', setgroups: 'deny' })).setgroups).toBe('deny')
  })

  asRoot(
    'is allowed by default, as with the maps of many ids of unshare(1)',
    'an ordinary user has to give it up',
    async () => {
      expect((await look({ uidMaps: [map(0, 0, 9)], gidMaps: [map(0, 0, 9)] })).setgroups).toBe('allow')
      expect((await look({ mapUser: 'root', setgroups: 'allow' })).setgroups).toBe('allow')
    },
  )

  asOrdinaryUser('is given up with a map of the own group, which the kernel demands', async () => {
    expect((await look({ mapUser: 'root' })).setgroups).toBe('deny')
    expect((await look({ gidMaps: [map(0, gid, 1)] })).setgroups).toBe(unshareProgram('--map-root-user').setgroups)
  })

  asOrdinaryUser("'allow' with a map of the own group is EPERM, explained", async () => {
    const made = look({ uidMaps: [map(0, uid, 1)], gidMaps: [map(0, gid, 1)], setgroups: 'allow' })
    const message = expect.stringContaining("its own group only with setgroups 'deny'")
    await expect(made).rejects.toMatchObject({ code: 'EPERM', syscall: 'gid_map', kind: 'user', message })
  })
})

describe('subordinate ids of an ordinary user', () => {
  asOrdinaryUser('go beside its own, by way of newuidmap and newgidmap', async () => {
    const [uids, gids] = [ownRange('/etc/subuid'), ownRange('/etc/subgid')]
    const inside = await look({
      uidMaps: [map(0, uid, 1), map(1, uids.start, uids.count)],
      gidMaps: [map(0, gid, 1), map(1, gids.start, gids.count)],
    })
    expect(inside).toMatchObject({
      uids: [
        [0, uid, 1],
        [1, uids.start, uids.count],
      ],
      setgroups: 'allow',
      uid: 0,
      gid: 0,
    })
    expect(inside.gids).toEqual([
      [0, gid, 1],
      [1, gids.start, gids.count],
    ])
  })

  asOrdinaryUser('are real: a file given to one inside is that one’s outside', async () => {
    using directory = temporaryDirectory()
    writeFileSync(directory.file('file'), '')
    const [uids, gids] = [ownRange('/etc/subuid'), ownRange('/etc/subgid')]
    using set = await NamespaceSet.unshare('user', {
      uidMaps: [map(0, uid, 1), map(1, uids.start, 10)],
      gidMaps: [map(0, gid, 1), map(1, gids.start, 10)],
    })
    await set.execFile('chown', ['3:4', directory.file('file')])
    expect(statSync(directory.file('file'))).toMatchObject({ uid: uids.start + 2, gid: gids.start + 3 })
  })

  asOrdinaryUser('are the ones that unshare --map-auto takes', async () => {
    const inside = await look({ mapUser: 'auto' })
    const theirs = unshareProgram('--map-auto')
    expect([inside.uids, inside.gids, inside.setgroups]).toEqual([theirs.uids, theirs.gids, theirs.setgroups])
  })

  asOrdinaryUser('need newuidmap and newgidmap: without them the error says what to install', async () => {
    using empty = temporaryDirectory()
    const attempt = (options: string): Promise<object> =>
      askPlainNode(
        `import { NamespaceSet } from 'nsset'
         const { name, code, syscall, message } = await NamespaceSet.unshare('user', ${options}).catch((error) => error)
         console.log(JSON.stringify({ name, code, syscall, message }))`,
        { env: { PATH: empty.path } },
      )
    const maps = JSON.stringify([map(0, ownRange('/etc/subuid').start, 2)])
    const missing = {
      name: 'NamespaceError',
      code: 'ENOENT',
      message: expect.stringContaining('install the package uidmap'),
    }
    expect(await attempt(`{ uidMaps: ${maps} }`)).toMatchObject({ ...missing, syscall: 'newuidmap' })
    expect(await attempt(`{ gidMaps: ${maps} }`)).toMatchObject({ ...missing, syscall: 'newgidmap' })
    expect(await attempt(`{ mapUser: 'auto' }`)).toMatchObject({ ...missing, syscall: 'newuidmap' })
  })

  asOrdinaryUser('that may not be executed are an error, too', async () => {
    using directory = temporaryDirectory()
    writeFileSync(directory.file('newuidmap'), '')
    chmodSync(directory.file('newuidmap'), 0o644)
    const code = await askPlainNode<string>(
      `import { NamespaceSet } from 'nsset'
       const maps = { uidMaps: [{ containerId: 0, hostId: 5, size: 9 }] }
       console.log(JSON.stringify((await NamespaceSet.unshare('user', maps).catch((error) => error)).code))`,
      { env: { PATH: directory.path } },
    )
    expect(code).toBe('EACCES')
  })

  asOrdinaryUser('are no others than those of /etc/subuid and /etc/subgid: EPERM, explained', async () => {
    const refused = { name: 'NamespaceError', code: 'EPERM', kind: 'user' }
    const uidMessage = expect.stringMatching(/newuidmap: uid range .* not allowed; \/etc\/subuid lists/)
    await expect(look({ uidMaps: [map(0, 1, 10)] })).rejects.toMatchObject({
      ...refused,
      syscall: 'newuidmap',
      message: uidMessage,
    })
    const gidMessage = expect.stringMatching(/newgidmap: gid range .* not allowed; \/etc\/subgid lists/)
    await expect(look({ gidMaps: [map(0, 1, 10)] })).rejects.toMatchObject({
      ...refused,
      syscall: 'newgidmap',
      message: gidMessage,
    })
    const past = ownRange('/etc/subuid')
    const tooMany = look({ uidMaps: [map(0, past.start, past.count + 1)] })
    await expect(tooMany).rejects.toMatchObject({ ...refused, syscall: 'newuidmap' })
  })
})
