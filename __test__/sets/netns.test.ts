/** `netns`: network namespaces by name. nsset and iproute2 read each other's names. */
import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { NamespaceSet, netns } from 'nsset'
import { describe, expect, test } from 'vitest'
import { growthSince } from '../setup/guards/growth.ts'
import { resources } from '../setup/guards/resources.ts'
import { mountsBelow } from '../setup/oracles/mounts.ts'
import { askPlainNode } from '../setup/programs/plain-node.ts'
import { type Case, expectFailure, failureOf, refuses, system, type, untyped, value } from '../setup/sets/failure.ts'
import { asOrdinaryUser, asRoot } from '../setup/sets/privilege.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'

const REASON = 'names are mounts, which require root'
const ORDINARY_UID = 1234

let last = 0
/** A name for this test in the shared directory. */
const uniqueName = () => `nsset-test-${process.pid}-${++last}`

const ip = (...args: string[]) => execFileSync('ip', args, { encoding: 'utf8', timeout: 10_000 })
/** The names in `ip netns list`; a name may be followed by its nsid. */
const listedByIp = () =>
  ip('netns', 'list')
    .split('\n')
    .map((line) => line.split(' ')[0])
const identityOf = (path: string) => `net:[${statSync(path).ino}]`

describe('in the directory of iproute2', () => {
  asRoot('`ip netns` shows and enters a name created by nsset', REASON, async () => {
    const name = uniqueName()
    using set = await netns.create(name, { loopback: true })
    try {
      expect(listedByIp()).toContain(name)
      expect(await netns.list()).toContain(name)
      expect(ip('-netns', name, '-brief', 'link', 'show', 'lo')).toContain('LOOPBACK,UP')
      expect(set.id()).toBe(identityOf(`${netns.directory}/${name}`))
    } finally {
      ip('netns', 'delete', name)
    }
    expect(await netns.list()).not.toContain(name)
  })

  asRoot('nsset opens, lists and removes a name created by `ip netns`', REASON, async () => {
    const name = uniqueName()
    ip('netns', 'add', name)
    using set = netns.open(name)
    expect(set.kinds).toEqual(['net'])
    expect(set.id()).toBe(identityOf(`/run/netns/${name}`))
    expect(await netns.list()).toContain(name)
    await netns.remove(name)
    expect(listedByIp()).not.toContain(name)
    expect(existsSync(`/run/netns/${name}`)).toBe(false)
    // The set still holds it.
    expect((await set.execFile('cat', ['/proc/self/net/dev'])).stdout).toContain('lo:')
  })

  asRoot('the synchronous functions do the same', REASON, () => {
    const [made, given] = [uniqueName(), uniqueName()]
    using set = netns.createSync(made, { loopback: true })
    try {
      netns.attachSync(given, set)
      expect(netns.listSync()).toEqual(expect.arrayContaining([made, given]))
      expect(listedByIp()).toEqual(expect.arrayContaining([made, given]))
      expect(ip('-netns', given, '-brief', 'link', 'show', 'lo')).toContain('LOOPBACK,UP')
      expect(() => netns.attachSync(given, set)).toThrow(expect.objectContaining({ code: 'EEXIST' }))
    } finally {
      for (const name of [made, given]) netns.removeSync(name)
    }
    expect(netns.listSync()).not.toContain(made)
    expect(() => netns.removeSync(made)).toThrow(expect.objectContaining({ code: 'ENOENT' }))
    netns.removeSync(made, { force: true })
  })

  asRoot('the directory is a shared mount, once, and the file as with iproute2', REASON, async () => {
    const names = [uniqueName(), uniqueName()]
    const sets = await Promise.all(names.map((name) => netns.create(name)))
    try {
      const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n')
      const own = lines.filter((line) => line.split(' ')[4] === '/run/netns')
      expect(own).toHaveLength(1)
      expect(own[0]).toMatch(/ shared:\d+ /)
    } finally {
      for (const name of names) await netns.remove(name)
      for (const set of sets) set.close()
    }
    for (const name of names) expect(existsSync(`/run/netns/${name}`)).toBe(false)
  })
})

describe('in another directory', () => {
  asRoot('names are created and removed, and other files stay', REASON, async () => {
    using directory = temporaryDirectory()
    const options = { directory: directory.file('made/for/it') }
    expect(await netns.list(options)).toEqual([])
    using blue = await netns.create('blue', options)
    using set = await NamespaceSet.unshare(['net', 'uts'])
    await netns.attach('attached', set, options)
    writeFileSync(`${options.directory}/a file`, '')
    mkdirSync(`${options.directory}/a directory`)
    expect(await netns.list(options)).toEqual(['attached', 'blue'])
    using again = netns.open('attached', options)
    expect(again.equals(set, 'net')).toBe(true)
    expect(
      mountsBelow(directory.path)
        .map(({ root }) => root)
        .sort(),
    ).toEqual([blue.id(), set.id('net')].sort())
    for (const name of await netns.list(options)) await netns.remove(name, options)
    expect(mountsBelow(directory.path)).toEqual([])
    expect(existsSync(`${options.directory}/a file`)).toBe(true)
  })

  asRoot('a temporary name is removed when the set closes, unless it was replaced', REASON, async () => {
    using directory = temporaryDirectory()
    const options = { directory: directory.path }
    const first = await netns.create('blue', { ...options, temporary: true })
    expect(await netns.list(options)).toEqual(['blue'])
    first.close()
    expect([await netns.list(options), existsSync(directory.file('blue'))]).toEqual([[], false])

    const second = await netns.create('blue', { ...options, temporary: true })
    await netns.remove('blue', options)
    using third = await netns.create('blue', options)
    second.close()
    using still = netns.open('blue', options)
    expect(still.equals(third)).toBe(true)
    await netns.remove('blue', options)
  })

  asRoot('a set may have several names', REASON, async () => {
    using directory = temporaryDirectory()
    const options = { directory: directory.path, temporary: true }
    const set = await NamespaceSet.unshare('net')
    for (const name of ['a', 'b', 'ü']) await netns.attach(name, set, options)
    expect(await netns.list({ directory: directory.path })).toEqual(['a', 'b', 'ü'])
    set.close()
    expect(await netns.list({ directory: directory.path })).toEqual([])
  })

  asRoot('a name may have the maximum length', REASON, async () => {
    using directory = temporaryDirectory()
    const name = 'x'.repeat(255)
    using set = await netns.create(name, { directory: directory.path, temporary: true })
    expect(await netns.list({ directory: directory.path })).toEqual([name])
    expect(set.closed).toBe(false)
  })
})

describe('a temporary name', () => {
  asRoot('is removed with its set when no descriptor is free, and unmount reports that', REASON, async () => {
    using directory = temporaryDirectory()
    mkdirSync(directory.file('kinds'))
    const outcome = await askPlainNode<{ unmount: string; names: string[]; list: string }>(
      `import { closeSync, openSync, readdirSync } from 'node:fs'
       import { NamespaceSet, netns } from 'nsset'
       const directory = ${JSON.stringify(directory.path)}
       const set = await NamespaceSet.unshare(['net', 'uts'])
       await set.mount(directory + '/kinds')
       for (const name of ['blue', 'green']) await netns.attach(name, set, { directory, temporary: true })
       const dup = set.dup()
       const held = []
       try { for (;;) held.push(openSync('/dev/null')) } catch {}
       const code = (call) => call().then(() => 'done', ({ code }) => code)
       const unmount = await code(() => NamespaceSet.unmount(directory + '/kinds'))
       const list = await code(() => netns.list({ directory }))
       dup.close()
       set.close()
       for (const fd of held) closeSync(fd)
       const names = readdirSync(directory)
       await NamespaceSet.unmount(directory + '/kinds')
       console.log(JSON.stringify({ unmount, names, list }))`,
      { prefix: ['prlimit', '--nofile=128:128'] },
    )
    expect(outcome).toEqual({ unmount: 'EMFILE', names: ['kinds'], list: 'EMFILE' })
    expect(readdirSync(directory.file('kinds'))).toEqual([])
  })

  asRoot('that cannot be removed is an error of close(), which closes nevertheless', REASON, async () => {
    using directory = temporaryDirectory()
    execFileSync('mount', ['-t', 'tmpfs', 'names', directory.path], { timeout: 10_000 })
    const options = { directory: directory.path, temporary: true }
    try {
      const before = resources().descriptors
      const set = await netns.create('blue', options)
      await netns.attach('green', set, options)
      execFileSync('mount', ['-o', 'remount,ro', directory.path], { timeout: 10_000 })
      expectFailure(await failureOf(async () => set.close()), system('EROFS', '/blue', 'the file stays'))
      expect([set.closed, resources().descriptors]).toEqual([true, before])
      // As much as possible was done: neither has a namespace any more.
      expect(mountsBelow(directory.path).map(({ type }) => type)).toEqual(['tmpfs'])
      set.close()
      await set[Symbol.asyncDispose]()
      execFileSync('mount', ['-o', 'remount,rw', directory.path], { timeout: 10_000 })
      for (const name of ['blue', 'green']) await netns.remove(name, { directory: directory.path })
      expect(readdirSync(directory.path)).toEqual([])
    } finally {
      execFileSync('umount', ['-l', directory.path], { timeout: 10_000 })
    }
  })

  asRoot('that cannot be unmounted is an error, too: the caller has lost the right', REASON, async () => {
    using directory = temporaryDirectory()
    chmodSync(directory.path, 0o755)
    const failure = await askPlainNode<object>(
      `import { NamespaceSet, netns } from 'nsset'
       const set = await netns.create('blue', { directory: ${JSON.stringify(directory.path)}, temporary: true })
       process.setuid(${ORDINARY_UID})
       try { set.close() } catch ({ code, syscall, path }) { console.log(JSON.stringify({ code, syscall, path, closed: set.closed })) }`,
    )
    expect(failure).toEqual({ code: 'EPERM', syscall: 'umount2', path: directory.file('blue'), closed: true })
    await netns.remove('blue', { directory: directory.path })
  })

  asRoot('that another program removed or unmounted is not an error', REASON, async () => {
    using directory = temporaryDirectory()
    const options = { directory: directory.path, temporary: true }
    const set = await netns.create('removed', options)
    await netns.attach('unmounted', set, options)
    await netns.attach('replaced', set, options)
    await netns.remove('removed', { directory: directory.path })
    for (const name of ['unmounted', 'replaced']) execFileSync('umount', [directory.file(name)], { timeout: 10_000 })
    execFileSync('rm', [directory.file('replaced')], { timeout: 10_000 })
    writeFileSync(directory.file('replaced'), '', { mode: 0 })
    set.close()
    expect(readdirSync(directory.path)).toEqual(['replaced'])
  })

  asRoot('leaves no descriptors or mounts after a hundred', REASON, async () => {
    using directory = temporaryDirectory()
    const options = { directory: directory.path, temporary: true }
    using set = await NamespaceSet.unshare('net')
    const before = resources()
    for (let count = 0; count < 100; count += 1) {
      using dup = set.dup()
      await netns.attach('again', dup, options)
    }
    expect(await growthSince(before)).toEqual({})
    expect([mountsBelow(directory.path), readdirSync(directory.path)]).toEqual([[], []])
  })
})

describe('a failure leaves nothing:', () => {
  asRoot('a name that is taken, by any file', REASON, async () => {
    using directory = temporaryDirectory()
    const options = { directory: directory.path, temporary: true }
    using blue = await netns.create('blue', options)
    writeFileSync(directory.file('file'), 'mine')
    writeFileSync(directory.file('empty'), '')
    mkdirSync(directory.file('folder'))
    symlinkSync('nowhere', directory.file('link'))
    const before = resources()
    for (const name of ['blue', 'file', 'empty', 'folder', 'link']) {
      expectFailure(await failureOf(() => netns.create(name, options)), system('EEXIST', `/${name}`, 'taken'))
      expectFailure(await failureOf(() => netns.attach(name, blue, options)), system('EEXIST', `/${name}`))
    }
    expect(await growthSince(before)).toEqual({})
    expect(readFileSync(directory.file('file'), 'utf8')).toBe('mine')
    expect(await netns.list({ directory: directory.path })).toEqual(['blue'])
  })

  asRoot('a directory that is a file', REASON, async () => {
    using directory = temporaryDirectory()
    writeFileSync(directory.file('file'), '')
    const before = resources()
    expectFailure(await failureOf(() => netns.create('x', { directory: directory.file('file') })), system('EEXIST'))
    expectFailure(await failureOf(() => netns.list({ directory: directory.file('file') })), system('ENOTDIR'))
    expect(await growthSince(before)).toEqual({})
  })

  asRoot('an aborted wait', REASON, async () => {
    using directory = temporaryDirectory()
    const reason = new Error('not any more')
    const wait = netns.create('blue', { directory: directory.path, signal: AbortSignal.abort(reason) })
    await expect(wait).rejects.toBe(reason)
    expect(await netns.list({ directory: directory.path })).toEqual([])
  })

  asOrdinaryUser('a name of an ordinary user', async () => {
    using directory = temporaryDirectory()
    using set = NamespaceSet.current('net')
    const before = resources()
    const attach = netns.attach('blue', set, { directory: directory.path })
    await expect(attach).rejects.toMatchObject({ code: 'EPERM', syscall: 'mount' })
    expect(existsSync(directory.file('blue'))).toBe(false)
    expect(await growthSince(before)).toEqual({})
  })
})

describe('remove()', () => {
  test('of a missing name is an error, unless forced', async () => {
    using directory = temporaryDirectory()
    const options = { directory: directory.path }
    expectFailure(await failureOf(() => netns.remove('none', options)), system('ENOENT', '/none'))
    expectFailure(await failureOf(() => netns.open('none', options)), system('ENOENT', '/none'))
    await netns.remove('none', { ...options, force: true })
    await netns.remove('none', { directory: directory.file('no directory either'), force: true })
  })

  test('of another file is an error, forced or not, and the file stays', async () => {
    using directory = temporaryDirectory()
    writeFileSync(directory.file('mine'), 'text', { mode: 0o600 })
    mkdirSync(directory.file('folder'))
    symlinkSync('mine', directory.file('link'))
    symlinkSync('/proc/self/ns/uts', directory.file('uts'))
    execFileSync('mkfifo', [directory.file('fifo')], { timeout: 10_000 })
    const names = ['mine', 'folder', 'link', 'uts', 'fifo']
    for (const name of names) {
      const remove = () => netns.remove(name, { directory: directory.path, force: true })
      expectFailure(await failureOf(remove), system('EINVAL', `/${name}`))
    }
    expect(readdirSync(directory.path).sort()).toEqual(names.sort())
  })

  test('of a name without a mounted namespace removes the file, whatever its mode', async () => {
    using directory = temporaryDirectory()
    for (const mode of [0, 0o444, 0o644, 0o600]) {
      writeFileSync(directory.file('stale'), '', { mode })
      await netns.remove('stale', { directory: directory.path })
      expect(existsSync(directory.file('stale'))).toBe(false)
    }
  })

  test('of a link to the network of a process, or of an exited one, removes the link', async () => {
    using directory = temporaryDirectory()
    symlinkSync('/proc/self/ns/net', directory.file('running'))
    symlinkSync('/proc/4194304/ns/net', directory.file('ended'))
    expect(await netns.list({ directory: directory.path })).toEqual(['running'])
    for (const name of ['running', 'ended']) await netns.remove(name, { directory: directory.path })
    expect(readdirSync(directory.path)).toEqual([])
  })

  for (const mode of [0, 0o444, 0o644]) {
    asRoot(`of a name that another program created with mode 0${mode.toString(8)}, as ip does`, REASON, async () => {
      const names = [uniqueName(), uniqueName()] as const
      for (const name of names) {
        ip('netns', 'add', name)
        ip('netns', 'delete', name)
        writeFileSync(`/run/netns/${name}`, '', { mode: 0o600 })
        chmodSync(`/run/netns/${name}`, mode)
        execFileSync('mount', ['--bind', '/proc/self/ns/net', `/run/netns/${name}`], { timeout: 10_000 })
      }
      ip('netns', 'delete', names[0])
      await netns.remove(names[1])
      for (const name of names) expect(existsSync(`/run/netns/${name}`)).toBe(false)
    })
  }

  asRoot('removes all networks mounted on a name', REASON, async () => {
    using directory = temporaryDirectory()
    const options = { directory: directory.path }
    using set = await netns.create('twice', options)
    execFileSync('mount', ['--bind', set.path(), directory.file('twice')], { timeout: 10_000 })
    expect(mountsBelow(directory.path)).toHaveLength(2)
    await netns.remove('twice', options)
    expect([mountsBelow(directory.path), readdirSync(directory.path)]).toEqual([[], []])
  })

  asRoot('reports what stays: an immutable file', REASON, async (context) => {
    using directory = temporaryDirectory()
    const options = { directory: directory.path }
    const chattr = (change: string) => spawnSync('chattr', [change, directory.path], { timeout: 10_000 }).status
    if (chattr('-i') !== 0) context.skip('chattr(1) cannot make files in the temporary directory immutable')
    using set = await netns.create('blue', options)
    try {
      expect(chattr('+i')).toBe(0)
      expectFailure(await failureOf(() => netns.remove('blue', options)), system('EPERM', '/blue', 'stays'))
      expect([mountsBelow(directory.path), set.closed]).toEqual([[], false])
    } finally {
      chattr('-i')
    }
    await netns.remove('blue', options)
    expect(readdirSync(directory.path)).toEqual([])
  })

  asRoot('reports what stays: a file with content below the mount', REASON, async () => {
    using directory = temporaryDirectory()
    writeFileSync(directory.file('notes'), 'mine')
    execFileSync('mount', ['--bind', '/proc/self/ns/net', directory.file('notes')], { timeout: 10_000 })
    const failure = await failureOf(() => netns.remove('notes', { directory: directory.path }))
    expectFailure(failure, system('EINVAL', '/notes', 'was unmounted'))
    expect([mountsBelow(directory.path), readFileSync(directory.file('notes'), 'utf8')]).toEqual([[], 'mine'])
  })

  asRoot('reports what stays: another mount below it, and the file', REASON, async () => {
    using directory = temporaryDirectory()
    writeFileSync(directory.file('name'), '')
    writeFileSync(directory.file('empty'), '')
    execFileSync('mount', ['--bind', directory.file('empty'), directory.file('name')], { timeout: 10_000 })
    try {
      execFileSync('mount', ['--bind', '/proc/self/ns/net', directory.file('name')], { timeout: 10_000 })
      const failure = await failureOf(() => netns.remove('name', { directory: directory.path }))
      expectFailure(failure, system('EBUSY', '/name', 'something else is'))
      expect(existsSync(directory.file('name'))).toBe(true)
    } finally {
      execFileSync('umount', [directory.file('name')], { timeout: 10_000 })
    }
  })

  asRoot('of another kind of namespace is rejected', REASON, async () => {
    using directory = temporaryDirectory()
    using set = await NamespaceSet.unshare('uts')
    await set.mount({ uts: directory.file('uts') })
    const options = { directory: directory.path }
    expectFailure(await failureOf(() => netns.remove('uts', options)), system('EINVAL', '/uts'))
    expect(await netns.list(options)).toEqual([])
    await NamespaceSet.unmount(directory.file('uts'))
  })
})

describe('a name', () => {
  const call = (name: unknown) => [
    () => netns.create(untyped(name)),
    () => netns.open(untyped(name)),
    () => netns.remove(untyped(name)),
    () => netns.attach(untyped(name), NamespaceSet.current('net')),
  ]
  const wrong: [string, unknown, Case[2]][] = [
    ['empty', '', value('name', 'empty')],
    ['.', '.', value('name', "'.'")],
    ['..', '..', value('name', "'..'")],
    ['with a slash', '../passwd', value('name', "'/'")],
    ['with a NUL', 'a\0b', value('name', 'NUL')],
    ['of 256 bytes', 'ü'.repeat(128), value('name', '255')],
    ['a number', 5, type('name', '5')],
    ['nothing', undefined, type('name', 'undefined')],
  ]
  refuses(
    wrong.flatMap(([what, name, expected]) => call(name).map((c, index): Case => [`${what} (${index})`, c, expected])),
  )
})

describe('options', () => {
  refuses([
    ['an empty directory', () => netns.list({ directory: '' }), value('options.directory', 'empty')],
    ['a directory that is a number', () => netns.list({ directory: untyped(5) }), type('options.directory', '5')],
    ['temporary: a string', () => netns.create('x', { temporary: untyped('yes') }), type('options.temporary', "'yes'")],
    ['force: a number', () => netns.remove('x', { force: untyped(1) }), type('options.force', '1')],
    ['signal: an object', () => netns.create('x', { signal: untyped({}) }), type('options.signal', 'an object')],
    ['no set', () => netns.attach('x', untyped({})), type('set', 'an object')],
  ])
  test('a set without net is rejected', async () => {
    using uts = NamespaceSet.current('uts')
    const attach = netns.attach('x', uts, { directory: '/nonexistent' })
    await expect(attach).rejects.toMatchObject({ code: 'ERR_NSSET_NOT_IN_SET' })
    expect(existsSync('/nonexistent')).toBe(false)
  })
})
