/** Namespaces mounted in the file system: all or none, and never over a file with content. */
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { type NamespaceKind, NamespaceSet } from 'nsset'
import { describe, expect, test } from 'vitest'
import { resources } from '../setup/guards/resources.ts'
import { mountsBelow } from '../setup/oracles/mounts.ts'
import { inWorker } from '../setup/processes/worker.ts'
import { askPlainNode } from '../setup/programs/plain-node.ts'
import { asOrdinaryUser, asRoot } from '../setup/sets/privilege.ts'
import { type TemporaryDirectory, temporaryDirectory } from '../setup/sets/temporary-directory.ts'

const REASON = 'mount(2) requires CAP_SYS_ADMIN over the mount namespace'

/** Every kind whose mount is useful and always allowed. */
const KINDS: NamespaceKind[] = ['cgroup', 'ipc', 'net', 'time', 'user', 'uts']

/** A directory that must have no mounts at the end of its block. */
function directoryForMounts(): TemporaryDirectory {
  const directory = temporaryDirectory()
  return {
    ...directory,
    [Symbol.dispose]() {
      const left = mountsBelow(directory.path)
      for (const { target } of left.reverse()) execFileSync('umount', [target], { timeout: 10_000 })
      directory[Symbol.dispose]()
      expect(left, 'remaining mounts').toEqual([])
    },
  }
}

describe('mount()', () => {
  for (const variant of ['mount', 'mountSync'] as const) {
    asRoot(`${variant} mounts all into a directory, each under the name of its kind`, REASON, async () => {
      using directory = directoryForMounts()
      using set = NamespaceSet.unshareSync(KINDS, { mapUser: 'root', hostname: 'mounted' })
      await set[variant](directory.path)
      expect(readdirSync(directory.path).sort()).toEqual(KINDS)
      const mounts = mountsBelow(directory.path).sort((one, other) => (one.target < other.target ? -1 : 1))
      expect(mounts).toEqual(KINDS.map((kind) => ({ target: directory.file(kind), root: set.id(kind), type: 'nsfs' })))

      using again = NamespaceSet.fromDirectory(directory.path)
      expect(again.equals(set)).toBe(true)
      await NamespaceSet.unmount(directory.path)
    })

    asRoot(`${variant} mounts each on the given file, and no other`, REASON, async () => {
      using directory = directoryForMounts()
      using set = NamespaceSet.unshareSync(['net', 'uts', 'ipc'])
      const [blue, green] = [directory.file('blue'), directory.file('green')]
      await set[variant]({ net: blue, uts: Buffer.from(green), ipc: undefined })
      expect(readdirSync(directory.path).sort()).toEqual(['blue', 'green'])
      expect(statSync(blue, { bigint: true }).ino).toBe(set.stat('net').ino)
      expect(statSync(green, { bigint: true }).ino).toBe(set.stat('uts').ino)
      NamespaceSet.unmountSync(blue)
      NamespaceSet.unmountSync(green)
    })
  }

  asRoot('accepts names with whitespace', REASON, () => {
    using directory = directoryForMounts()
    using set = NamespaceSet.unshareSync('uts')
    const target = directory.file('a b\tc\nd\\e')
    set.mountSync({ uts: target })
    expect(mountsBelow(directory.path)).toMatchObject([{ target, root: set.id() }])
    NamespaceSet.unmountSync(target)
  })

  asRoot('keeps the namespaces alive without the set: nsenter(1) finds them', REASON, () => {
    using directory = directoryForMounts()
    {
      using set = NamespaceSet.unshareSync(['net', 'uts'], { hostname: 'outlives-its-set' })
      set.mountSync(directory.path)
    }
    const flags = [`--uts=${directory.file('uts')}`, `--net=${directory.file('net')}`]
    const hostname = execFileSync('nsenter', [...flags, 'hostname'], { encoding: 'utf8', timeout: 10_000 })
    expect(hostname).toBe('outlives-its-set\n')
    NamespaceSet.unmountSync(directory.path)
  })

  asRoot('mounts a new mount namespace in an older one, too', REASON, () => {
    using directory = directoryForMounts()
    const file = directory.file('mnt')
    // The kernel compares ids that it assigns to processors in batches: a new one may have a lower id.
    const failures: unknown[] = []
    for (let attempt = 0; attempt < 50 && !existsSync(file); attempt += 1) {
      using set = NamespaceSet.unshareSync('mnt')
      try {
        set.mountSync({ mnt: file })
        using again = NamespaceSet.fromPath(file, 'mnt')
        expect(again.equals(set)).toBe(true)
      } catch (error) {
        failures.push(error)
      }
    }
    expect(existsSync(file), String(failures)).toBe(true)
    NamespaceSet.unmountSync(file)
  })

  asRoot('makes a name for `ip netns` in its directory', REASON, async () => {
    const name = `nsset-mount-${process.pid}`
    mkdirSync('/run/netns', { recursive: true })
    using set = await NamespaceSet.unshare('net', { loopback: true })
    await set.mount({ net: `/run/netns/${name}` })
    try {
      const ip = (...args: string[]) => execFileSync('ip', args, { encoding: 'utf8', timeout: 10_000 })
      expect(ip('netns', 'list')).toMatch(new RegExp(`^${name}\\b`, 'm'))
      expect(ip('netns', 'exec', name, 'readlink', '/proc/self/ns/net').trim()).toBe(set.id())
      expect(ip('-netns', name, '-brief', 'link')).toMatch(/^lo\s+UNKNOWN/)
    } finally {
      await NamespaceSet.unmount(`/run/netns/${name}`)
    }
    expect(existsSync(`/run/netns/${name}`)).toBe(false)
  })

  test('works wherever the caller may mount: an ordinary user in its own mount namespace', async () => {
    using directory = temporaryDirectory()
    const outcome = await askPlainNode<{ mounted: string[]; isEqual: boolean; left: string[] }>(
      `import { readdirSync, readFileSync } from 'node:fs'
       import { NamespaceSet } from 'nsset'
       const directory = ${JSON.stringify(directory.path)}
       const set = NamespaceSet.unshareSync(['net', 'uts'])
       await set.mount(directory)
       const mounted = readFileSync('/proc/self/mountinfo', 'utf8').split('\\n').filter((line) => line.includes(directory))
       const isEqual = NamespaceSet.fromDirectory(directory).equals(set)
       await NamespaceSet.unmount(directory)
       console.log(JSON.stringify({ mounted: mounted.map((line) => line.split(' ')[4]), isEqual, left: readdirSync(directory) }))
       set.close()`,
      { prefix: ['unshare', '--user', '--map-root-user', '--mount', '--'] },
    )
    expect(outcome).toEqual({ mounted: [directory.file('net'), directory.file('uts')], isEqual: true, left: [] })
    expect(mountsBelow(directory.path)).toEqual([])
  })
})

describe('a failed mount', () => {
  const refused = (code: string, path: string, why: string) =>
    expect.objectContaining({ name: 'NamespaceError', code, path, message: expect.stringContaining(why) })

  asRoot('removes what it had created before', REASON, async () => {
    using directory = directoryForMounts()
    using set = NamespaceSet.unshareSync(['ipc', 'net', 'uts'])
    const before = resources().descriptors
    const [first, second, third] = [directory.file('first'), directory.file('second'), directory.file('third')]
    writeFileSync(second, '')
    writeFileSync(third, 'precious')
    const targets = { ipc: first, net: second, uts: third }
    expect(() => set.mountSync(targets)).toThrow(refused('EEXIST', third, 'content'))
    await expect(set.mount(targets)).rejects.toThrow(refused('EEXIST', third, 'content'))
    expect(mountsBelow(directory.path)).toEqual([])
    // The file that existed before is kept; the created one is gone.
    expect(readdirSync(directory.path).sort()).toEqual(['second', 'third'])
    expect(resources().descriptors).toBe(before)
  })

  asRoot('removes it in a directory, too', REASON, () => {
    using directory = directoryForMounts()
    using set = NamespaceSet.unshareSync(['ipc', 'net', 'uts'])
    writeFileSync(directory.file('uts'), 'precious')
    expect(() => set.mountSync(directory.path)).toThrow(refused('EEXIST', directory.file('uts'), 'content'))
    expect(mountsBelow(directory.path)).toEqual([])
    expect(readdirSync(directory.path)).toEqual(['uts'])
  })

  asRoot('of two kinds on one file mounts neither', REASON, () => {
    using directory = directoryForMounts()
    using set = NamespaceSet.unshareSync(['net', 'uts'])
    const file = directory.file('both')
    expect(() => set.mountSync({ net: file, uts: file })).toThrow(refused('EEXIST', file, 'mounted there already'))
    expect(readdirSync(directory.path)).toEqual([])
  })

  asRoot('of a kind that is not in the set undoes the others', REASON, () => {
    using directory = directoryForMounts()
    using set = NamespaceSet.unshareSync('net')
    expect(() => set.mountSync({ net: directory.file('net'), uts: directory.file('uts') })).toThrow(
      expect.objectContaining({ code: 'ERR_NSSET_NOT_IN_SET', message: expect.stringContaining('uts') }),
    )
    expect(readdirSync(directory.path)).toEqual([])
  })

  asRoot('leaves a file with content unchanged', REASON, () => {
    using directory = directoryForMounts()
    using set = NamespaceSet.unshareSync('net')
    const file = directory.file('notes')
    writeFileSync(file, 'do not lose me', { mode: 0o640 })
    const before = lstatSync(file, { bigint: true })
    expect(() => set.mountSync({ net: file })).toThrow(refused('EEXIST', file, 'left as it is'))
    expect(readFileSync(file, 'utf8')).toBe('do not lose me')
    const { mode, mtimeNs, ino } = lstatSync(file, { bigint: true })
    expect({ mode, mtimeNs, ino }).toEqual({ mode: before.mode, mtimeNs: before.mtimeNs, ino: before.ino })
  })

  asRoot('follows no symbolic link, whether its target exists or not', REASON, () => {
    using directory = directoryForMounts()
    using set = NamespaceSet.unshareSync('net')
    writeFileSync(directory.file('empty'), '')
    for (const to of ['empty', 'nowhere']) {
      const link = directory.file(`to-${to}`)
      symlinkSync(to, link)
      expect(() => set.mountSync({ net: link }), to).toThrow(refused('EEXIST', link, 'symbolic link'))
      expect(readlinkSync(link)).toBe(to)
    }
    expect(existsSync(directory.file('nowhere'))).toBe(false)
    expect(mountsBelow(directory.path)).toEqual([])
  })

  asRoot('is the result for a directory and for a FIFO', REASON, () => {
    using directory = directoryForMounts()
    using set = NamespaceSet.unshareSync('net')
    mkdirSync(directory.file('directory'))
    execFileSync('mkfifo', [directory.file('fifo')], { timeout: 10_000 })
    for (const name of ['directory', 'fifo']) {
      const file = directory.file(name)
      expect(() => set.mountSync({ net: file }), name).toThrow(refused('EEXIST', file, 'not an empty regular file'))
    }
    expect(readdirSync(directory.path).sort()).toEqual(['directory', 'fifo'])
  })

  asRoot('is the result for a target that has a mount already', REASON, () => {
    using directory = directoryForMounts()
    using first = NamespaceSet.unshareSync('net')
    using second = NamespaceSet.unshareSync('net')
    const file = directory.file('net')
    first.mountSync({ net: file })
    for (const set of [first, second]) {
      expect(() => set.mountSync({ net: file })).toThrow(refused('EEXIST', file, 'mounted there already'))
    }
    expect(mountsBelow(directory.path).map(({ root }) => root)).toEqual([first.id()])
    NamespaceSet.unmountSync(file)
  })

  asRoot('of a mount namespace into itself explains where it can be mounted', REASON, () => {
    using directory = directoryForMounts()
    using here = NamespaceSet.current('mnt')
    const file = directory.file('mnt')
    expect(() => here.mountSync({ mnt: file })).toThrow(
      expect.objectContaining({
        code: 'EINVAL',
        kind: 'mnt',
        syscall: 'mount',
        path: file,
        message: expect.stringContaining('only from an older one'),
      }),
    )
    expect(readdirSync(directory.path)).toEqual([])
  })

  test('names a directory that is missing, or is a file', () => {
    using directory = temporaryDirectory()
    using set = NamespaceSet.current('uts')
    const [missing, file] = [directory.file('missing'), directory.file('file')]
    writeFileSync(file, '')
    expect(() => set.mountSync(missing)).toThrow(refused('ENOENT', missing, 'has to exist'))
    expect(() => set.mountSync(file)).toThrow(refused('ENOTDIR', file, '{ kind: file }'))
    expect(() => set.mountSync({ uts: directory.file('missing/uts') })).toThrow(
      expect.objectContaining({ code: 'ENOENT', path: directory.file('missing/uts') }),
    )
    expect(readdirSync(directory.path)).toEqual(['file'])
  })

  asOrdinaryUser('of an ordinary user gives the reason, and leaves nothing behind', async () => {
    using directory = temporaryDirectory()
    using set = NamespaceSet.unshareSync(['user', 'net', 'uts'], { mapUser: 'root' })
    writeFileSync(directory.file('there'), '')
    const before = resources().descriptors
    for (const target of [directory.path, { net: directory.file('there') }, { uts: directory.file('new') }]) {
      const denied = expect.objectContaining({
        name: 'NamespaceError',
        code: 'EPERM',
        syscall: 'mount',
        message: expect.stringContaining('CAP_SYS_ADMIN'),
      })
      expect(() => set.mountSync(target)).toThrow(denied)
      await expect(set.mount(target)).rejects.toThrow(denied)
    }
    expect(readdirSync(directory.path)).toEqual(['there'])
    expect(resources().descriptors).toBe(before)
  })
})

describe('unmount()', () => {
  const notOurs = (path: string) =>
    expect.objectContaining({
      name: 'NamespaceError',
      code: 'EINVAL',
      path,
      message: expect.stringContaining('nothing else is unmounted'),
    })

  asRoot('removes the files that mount created, of a directory or a single one', REASON, async () => {
    using directory = directoryForMounts()
    using set = NamespaceSet.unshareSync(['net', 'uts'])
    writeFileSync(directory.file('notes'), 'mine')
    set.mountSync(directory.path)
    NamespaceSet.unmountSync(directory.path)
    await set.mount(directory.path)
    await NamespaceSet.unmount(directory.path)
    expect(readdirSync(directory.path)).toEqual(['notes'])
    set.mountSync({ net: directory.file('net') })
    NamespaceSet.unmountSync(directory.file('net'))
    expect(readdirSync(directory.path)).toEqual(['notes'])
    expect(mountsBelow(directory.path)).toEqual([])
  })

  asRoot('keeps a file that existed before, empty', REASON, () => {
    using directory = directoryForMounts()
    using set = NamespaceSet.unshareSync('net')
    const file = directory.file('net')
    writeFileSync(file, '')
    chmodSync(file, 0o644)
    set.mountSync({ net: file })
    expect(mountsBelow(directory.path)).toEqual([{ target: file, root: set.id(), type: 'nsfs' }])
    NamespaceSet.unmountSync(file)
    expect(mountsBelow(directory.path)).toEqual([])
    expect(lstatSync(file).size).toBe(0)
    expect(lstatSync(file).mode & 0o777).toBe(0o644)
  })

  asRoot('removes a name created by `ip netns add`, too', REASON, () => {
    const name = `nsset-unmount-${process.pid}`
    execFileSync('ip', ['netns', 'add', name], { timeout: 10_000 })
    NamespaceSet.unmountSync(`/run/netns/${name}`)
    expect(execFileSync('ip', ['netns', 'list'], { encoding: 'utf8', timeout: 10_000 })).not.toContain(name)
    expect(existsSync(`/run/netns/${name}`)).toBe(false)
  })

  asRoot('leaves another mount', REASON, () => {
    using directory = directoryForMounts()
    const [file, link] = [directory.file('net'), directory.file('link')]
    writeFileSync(file, 'below')
    execFileSync('mount', ['--bind', '/proc/version', file], { timeout: 10_000 })
    symlinkSync('net', link)
    try {
      expect(() => NamespaceSet.unmountSync(file)).toThrow(notOurs(file))
      expect(() => NamespaceSet.unmountSync(directory.path)).toThrow(notOurs(directory.path))
      expect(mountsBelow(directory.path).map(({ target }) => target)).toEqual([file])
    } finally {
      execFileSync('umount', [file], { timeout: 10_000 })
    }
    expect(readFileSync(file, 'utf8')).toBe('below')
  })

  asRoot('of one of two mounts on a file reports that the other stays', REASON, () => {
    using directory = directoryForMounts()
    using set = NamespaceSet.unshareSync('net')
    const file = directory.file('net')
    set.mountSync({ net: file })
    execFileSync('mount', ['--bind', set.path(), file], { timeout: 10_000 })
    const stays = expect.objectContaining({ code: 'EBUSY', path: file, message: expect.stringContaining('stays') })
    expect(() => NamespaceSet.unmountSync(file)).toThrow(stays)
    expect(mountsBelow(directory.path)).toHaveLength(1)
    NamespaceSet.unmountSync(file)
    expect([mountsBelow(directory.path), existsSync(file)]).toEqual([[], false])
  })

  asRoot('reports that the file stays if it cannot be removed', REASON, () => {
    using directory = directoryForMounts()
    using set = NamespaceSet.unshareSync('net')
    mkdirSync(directory.file('tmpfs'))
    execFileSync('mount', ['-t', 'tmpfs', 'files', directory.file('tmpfs')], { timeout: 10_000 })
    const file = directory.file('tmpfs/net')
    try {
      set.mountSync({ net: file })
      execFileSync('mount', ['-o', 'remount,ro', directory.file('tmpfs')], { timeout: 10_000 })
      const stays = expect.objectContaining({ code: 'EROFS', syscall: 'unlink', path: file })
      expect(() => NamespaceSet.unmountSync(file)).toThrow(stays)
      expect(mountsBelow(directory.path).map(({ type }) => type)).toEqual(['tmpfs'])
    } finally {
      execFileSync('umount', ['-l', directory.file('tmpfs')], { timeout: 10_000 })
    }
  })

  asRoot('works in a Worker in another mount namespace, with any /proc', REASON, async () => {
    using directory = directoryForMounts()
    const result = await inWorker<{ during: string[]; after: string[]; hasMoved: boolean; proc: string[] }>(
      `const mounts = [{ type: 'tmpfs', target: '/proc' }]
       const inside = await nsset.NamespaceSet.unshare('mnt', { mounts })
       inside.enter()
       inside.close()
       const before = process.cwd()
       const set = nsset.NamespaceSet.unshareSync(['net', 'uts'])
       set.mountSync(data)
       const during = fs.readdirSync(data)
       nsset.NamespaceSet.unmountSync(data)
       set.close()
       return { during, after: fs.readdirSync(data), hasMoved: process.cwd() !== before, proc: fs.readdirSync('/proc') }`,
      directory.path,
    )
    expect(result).toEqual({ during: ['net', 'uts'], after: [], hasMoved: false, proc: [] })
    expect(mountsBelow(directory.path)).toEqual([])
  })

  asRoot('does not follow a symbolic link to a mounted namespace', REASON, () => {
    using directory = directoryForMounts()
    using set = NamespaceSet.unshareSync('net')
    set.mountSync({ net: directory.file('net') })
    symlinkSync('net', directory.file('link'))
    expect(() => NamespaceSet.unmountSync(directory.file('link'))).toThrow(notOurs(directory.file('link')))
    expect(mountsBelow(directory.path)).toHaveLength(1)
    NamespaceSet.unmountSync(directory.file('net'))
  })

  test('rejects a file without a mounted namespace', async () => {
    using directory = temporaryDirectory()
    const [file, empty, missing] = [directory.file('file'), directory.file('empty'), directory.file('missing')]
    writeFileSync(file, 'mine')
    mkdirSync(empty)
    for (const target of [file, empty, directory.path, '/proc/self/ns/net', '/proc/self/ns']) {
      expect(() => NamespaceSet.unmountSync(target), target).toThrow(notOurs(target))
      await expect(NamespaceSet.unmount(target)).rejects.toThrow(notOurs(target))
    }
    const gone = expect.objectContaining({ code: 'ENOENT', path: missing })
    expect(() => NamespaceSet.unmountSync(missing)).toThrow(gone)
    await expect(NamespaceSet.unmount(missing)).rejects.toThrow(gone)
    expect(readFileSync(file, 'utf8')).toBe('mine')
  })
})
