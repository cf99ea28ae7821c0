/** Bind mounts that show other owners than those on the disk. */
import { chownSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { type BindMount, type MountSpec, NamespaceSet, type UnshareOptions } from 'nsset'
import { expect, test } from 'vitest'
import { growthSince } from '../setup/guards/growth.ts'
import { resources } from '../setup/guards/resources.ts'
import { SYSTEM_MOUNTS } from '../setup/oracles/bwrap.ts'
import { asOrdinaryUser, asRoot } from '../setup/sets/privilege.ts'
import { type TemporaryDirectory, temporaryDirectory } from '../setup/sets/temporary-directory.ts'

const MAPS = [{ containerId: 0, hostId: 100_000, size: 65_536 }]
const ROOT_ONLY = 'only who may change a file system can map its owners'

function withBind(source: string, bind: Partial<BindMount>, options: UnshareOptions = {}): Promise<NamespaceSet> {
  const mount: MountSpec = { type: 'bind', source, target: '/data', ...bind }
  return NamespaceSet.unshare(['user', 'mnt', 'pid'], {
    uidMaps: MAPS,
    gidMaps: MAPS,
    root: { type: 'tmpfs' },
    mounts: [...SYSTEM_MOUNTS, mount],
    ...options,
  })
}

function directoryOf(...owners: number[]): TemporaryDirectory {
  const directory = temporaryDirectory()
  for (const owner of owners) {
    writeFileSync(directory.file(`${owner}`), '')
    chownSync(directory.file(`${owner}`), owner, owner)
  }
  return directory
}

async function shell(set: NamespaceSet, script: string): Promise<string> {
  const options = { env: { PATH: '/usr/bin:/bin' }, timeout: 20_000 }
  return (await set.execFile('sh', ['-c', script], options)).stdout.trim()
}

asRoot('the owners on the disk are those inside', ROOT_ONLY, async () => {
  using directory = directoryOf(0, 1000)
  using mapped = await withBind(directory.path, { idMap: 'set' })
  expect(await shell(mapped, 'cd /data; stat -c "%n %u:%g" 0 1000; touch made')).toBe('0 0:0\n1000 1000:1000')
  expect(statSync(directory.file('made'))).toMatchObject({ uid: 0, gid: 0 })
  using plain = await withBind(directory.path, {})
  expect(await shell(plain, 'stat -c "%u:%g" /data')).toBe('65534:65534')
})

asRoot('owners by other maps, read-only, and a single file', ROOT_ONLY, async () => {
  using directory = directoryOf(1234)
  const toRoot = [{ containerId: 1234, hostId: 100_000, size: 1 }]
  const idMap = { uidMaps: toRoot, gidMaps: toRoot }
  using set = await withBind(directory.file('1234'), { idMap, readOnly: true, target: '/new/file' })
  expect(await shell(set, 'stat -c "%u:%g" /new/file; touch /new/file 2>&1 || true')).toMatch(
    /^0:0\ntouch: .*Read-only file system$/,
  )
})

asRoot('an optional source that is missing is skipped', ROOT_ONLY, async () => {
  using set = await withBind('/nsset/is/not/here', { idMap: 'set', optional: true })
  expect(await shell(set, 'ls -d /data || echo none')).toBe('none')
})

asRoot('what the kernel refuses is named, and nothing is left', ROOT_ONLY, async () => {
  const before = resources()
  await expect(withBind('/proc', { idMap: 'set', recursive: false })).rejects.toMatchObject({
    code: 'EINVAL',
    syscall: 'mount_setattr',
    path: '/proc',
    message: expect.stringContaining('does not support mapped owners'),
  })
  await expect(withBind('/nsset/is/not/here', { idMap: 'set' })).rejects.toMatchObject({
    code: 'ENOENT',
    path: '/nsset/is/not/here',
  })
  expect(await growthSince(before)).toEqual({})
})

asOrdinaryUser('an ordinary user cannot map owners of the host', async () => {
  using directory = temporaryDirectory()
  mkdirSync(directory.file('inner'))
  const made = withBind(directory.path, { idMap: 'set' }, { uidMaps: undefined, gidMaps: undefined, mapUser: 'root' })
  await expect(made).rejects.toMatchObject({ code: 'EPERM', path: directory.path })
})

test('invalid maps are refused', async () => {
  for (const [idMap, message] of [
    ['root', "must be 'set'"],
    [{ uidMaps: [], gidMaps: MAPS }, 'at least one entry'],
    [{ uidMaps: MAPS }, 'idMap.gidMaps'],
  ] as const) {
    await expect(withBind('/tmp', { idMap: idMap as never })).rejects.toThrow(message)
  }
  const made = NamespaceSet.unshare(['mnt'], { mounts: [{ type: 'bind', source: '/', target: '/', idMap: 'set' }] })
  await expect(made).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' })
})
