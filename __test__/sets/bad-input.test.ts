/** Invalid arguments: rejected with a code, a class, and a message that names the argument. */
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { type FdSet, NamespaceError, type NamespaceKind, NamespaceSet, NS } from 'nsset'
import { afterAll, describe, expect, test } from 'vitest'
import { type Case, failureOf, range, refuses, system, type, untyped, value } from '../setup/sets/failure.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'

const directory = temporaryDirectory()
const here = NamespaceSet.current()
const net = here.dup('net')
const nets = net.fds()
const ordinary = directory.file('ordinary')
writeFileSync(ordinary, 'no namespace')
const fd = openSync(ordinary, 'r')

afterAll(() => {
  closeSync(fd)
  for (const held of [here, net, nets, directory]) held[Symbol.dispose]()
})

describe('kinds', () => {
  /** Every function that takes kinds, and the name of the argument in its errors. */
  const takers: [string, (kinds: never) => unknown, string?][] = [
    ['current', (kinds) => NamespaceSet.current(kinds)],
    ['fromPid', (kinds) => NamespaceSet.fromPid(process.pid, kinds)],
    ['fromThread', (kinds) => NamespaceSet.fromThread(process.pid, process.pid, kinds)],
    ['fromDirectory', (kinds) => NamespaceSet.fromDirectory('/proc/self/ns', kinds)],
    ['NamespaceSet.unshare', (kinds) => NamespaceSet.unshare(kinds)],
    ['NamespaceSet.unshareSync', (kinds) => NamespaceSet.unshareSync(kinds)],
    ['unshare', (kinds) => here.unshare(kinds)],
    ['unshareSync', (kinds) => here.unshareSync(kinds)],
    ['equals', (kinds) => here.equals(here, kinds)],
    ['dup', (kinds) => here.dup(kinds)],
    ['fds', (kinds) => here.fds(kinds)],
    ['do', (kinds) => here.do(() => undefined, { kinds }), 'options.kinds'],
    ['enter', (kinds) => here.enter({ kinds }), 'options.kinds'],
    ['spawn', (kinds) => here.spawn('true', [], { kinds }), 'options.kinds'],
    ['execFile', (kinds) => here.execFile('true', [], { kinds }), 'options.kinds'],
  ]

  /** As in gonso. */
  const ZERO_IS_ALL = new Set(['current', 'dup', 'fds'])

  for (const [taker, call, name = 'kinds'] of takers) {
    const wrong = (kinds: unknown) => () => call(untyped<never>(kinds))
    describe(taker, () => {
      refuses([
        ['an unknown name', wrong('network'), value(name, "'network'", "'net'")],
        ['an unknown name among others', wrong(['net', 'NET']), value(name, "'NET'")],
        ['a kind named twice', wrong(['net', 'uts', 'net']), value(name, 'twice', "'net'")],
        ['no kind', wrong([]), value(name, 'at least one')],
        ['an empty name', wrong(''), value(name)],
        ...(ZERO_IS_ALL.has(taker) ? [] : [['an empty mask', wrong(0), value(name, '0')] as const]),
        ['a mask with bits of no kind', wrong(NS.NET | 1), value(name, 'NS', String(NS.NET | 1))],
        ['a mask that is too wide', wrong(2 ** 31), value(name, String(2 ** 31))],
        ['a negative mask', wrong(-NS.NET), value(name)],
        ['a fraction', wrong(0.5), value(name, '0.5')],
        ['no number', wrong(Number.NaN), value(name, 'NaN')],
        ['null', wrong(null), type(name, 'null')],
        ['an object', wrong({ net: true }), type(name, 'an object')],
        ['another collection', wrong(new Set(['net'])), type(name, 'an array')],
        ['a function', wrong(() => 'net'), type(name, 'a function')],
        ['a symbol', wrong(Symbol('net')), type(name, 'Symbol(net)')],
        ['a bigint', wrong(0x40000000n), type(name, 'bigint')],
        ['null in an array', wrong(['net', null]), type(name, 'null')],
      ])
    })
  }

  test('unshare requires them', async () => {
    for (const call of [NamespaceSet.unshare, NamespaceSet.unshareSync]) {
      expect(await failureOf(() => call(untyped(undefined)))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' })
    }
  })
})

describe('a single kind', () => {
  const takers: [string, (kind: never) => unknown][] = [
    ['has', (kind) => here.has(kind)],
    ['id', (kind) => here.id(kind)],
    ['stat', (kind) => here.stat(kind)],
    ['path', (kind) => here.path(kind)],
    ['owner', (kind) => here.owner(kind)],
    ['parent', (kind) => here.parent(kind)],
    ['FdSet.get', (kind) => nets.get(kind)],
  ]
  for (const [taker, call] of takers) {
    const wrong = (kind: unknown) => () => call(untyped<never>(kind))
    describe(taker, () => {
      refuses([
        ['an unknown name', wrong('network'), value('kind', "'network'")],
        ['two kinds', wrong(NS.NET | NS.UTS), value('kind', 'one kind')],
        ['an array', wrong(['net']), type('kind', 'an array')],
        ['null', wrong(null), type('kind', 'null')],
      ])
    })
  }
})

describe('expect', () => {
  refuses([
    ['an unknown name', () => NamespaceSet.fromPath('/proc/self/ns/net', untyped('net ')), value('expect', "'net '")],
    ['an array', () => NamespaceSet.fromFd(fd, untyped(['net'])), type('expect', 'an array')],
    [
      'another kind',
      () => NamespaceSet.fromPath('/proc/self/ns/net', 'uts'),
      system('EINVAL', 'a net namespace', 'a uts namespace', '/proc/self/ns/net'),
    ],
  ])
})

describe('a kind that is not in the set', () => {
  const missing = ['RangeError', 'ERR_NSSET_NOT_IN_SET', 'uts'] as const
  refuses([
    ['id', () => net.id('uts'), missing],
    ['stat', () => net.stat('uts'), missing],
    ['path', () => net.path('uts'), missing],
    ['owner', () => net.owner('uts'), missing],
    ['parent', () => net.parent('user'), ['RangeError', 'ERR_NSSET_NOT_IN_SET', 'user']],
    ['dup', () => net.dup(['net', 'uts']), missing],
    ['fds', () => net.fds('uts'), missing],
    ['FdSet.get', () => nets.get('uts'), missing],
    ['do', () => net.do(() => expect.unreachable(), { kinds: 'uts' }), missing],
    ['spawn', () => net.spawn('true', [], { kinds: 'uts' }), missing],
    ['execFile', () => net.execFile('true', [], { kinds: ['net', 'uts'] }), missing],
    ['mountSync', () => net.mountSync({ uts: directory.file('uts') }), missing],
    ['mount', () => net.mount({ uts: directory.file('uts') }), missing],
  ])
})

describe('a closed set', () => {
  const closed = NamespaceSet.current(['net', 'user'])
  closed.close()
  const one = NamespaceSet.current('net')
  const closedFds: FdSet = one.fds()
  closedFds.close()
  one.close()
  const error = ['TypeError', 'ERR_NSSET_CLOSED', 'closed'] as const
  const calls: [string, () => unknown][] = [
    ['id', () => closed.id('net')],
    ['id of a single kind', () => one.id()],
    ['stat', () => closed.stat('net')],
    ['path', () => closed.path('net')],
    ['equals', () => closed.equals(here)],
    ['equals with a closed set', () => here.equals(closed)],
    ['owner', () => closed.owner('net')],
    ['parent', () => closed.parent('user')],
    ['dup', () => closed.dup()],
    ['fds', () => closed.fds()],
    ['unshare', () => closed.unshare(['user', 'uts'])],
    ['unshareSync', () => closed.unshareSync(['user', 'uts'])],
    ['mount', () => closed.mount(directory.path)],
    ['mountSync', () => closed.mountSync({ net: directory.file('net') })],
    ['do', () => closed.do(() => expect.unreachable())],
    ['enter', () => closed.enter({ mainThread: true })],
    ['spawn', () => closed.spawn('true')],
    ['execFile', () => closed.execFile('true')],
    ['FdSet.get', () => closedFds.get('net')],
    ['FdSet, iterated', () => [...closedFds]],
  ]
  refuses(calls.map(([name, call]) => [name, call, error]))
})

describe('processes', () => {
  const takers: [string, string, (pid: never) => unknown][] = [
    ['fromPid', 'pid', (pid) => NamespaceSet.fromPid(pid)],
    ['fromThread', 'pid', (pid) => NamespaceSet.fromThread(pid, 1)],
    ['fromThread, the thread', 'tid', (tid) => NamespaceSet.fromThread(process.pid, tid)],
  ]
  for (const [taker, name, call] of takers) {
    const wrong = (pid: unknown) => () => call(untyped<never>(pid))
    describe(taker, () => {
      refuses([
        ['0', wrong(0), range(`'${name}'`, '(0)')],
        ['negative', wrong(-1), range(`'${name}'`, '(-1)')],
        ['a fraction', wrong(1.5), range(`'${name}'`, '(1.5)')],
        ['2**31', wrong(2 ** 31), range(`'${name}'`, '(2147483648)', '2147483647')],
        ['no number', wrong(Number.NaN), range(`'${name}'`, 'NaN')],
        ['infinite', wrong(Infinity), range(`'${name}'`, 'Infinity')],
        ['text', wrong('1'), type(`"${name}"`, "'1'")],
        ['a bigint', wrong(1n), type(`"${name}"`, 'bigint')],
        ['nothing', wrong(undefined), type(`"${name}"`, 'undefined')],
        ['a missing one', wrong(2 ** 31 - 1), system('ESRCH', '2147483647')],
      ])
    })
  }
  test('the error for an exited process names it, and has no unrelated fields', async () => {
    const failure = await failureOf(() => NamespaceSet.fromPid(2 ** 31 - 1))
    expect(failure).toBeInstanceOf(NamespaceError)
    expect({ ...failure }).toStrictEqual({
      code: 'ESRCH',
      errno: -3,
      syscall: 'open',
      path: '/proc/2147483647',
      pid: 2147483647,
    })
  })
})

describe('paths', () => {
  const [missing, folder] = [directory.file('missing'), directory.file('folder')]
  mkdirSync(folder)
  const takers: [string, string, (path: never) => unknown][] = [
    ['fromPath', 'path', (path) => NamespaceSet.fromPath(path)],
    ['fromDirectory', 'directory', (path) => NamespaceSet.fromDirectory(path)],
    ['unmount', 'target', (path) => NamespaceSet.unmount(path)],
    ['unmountSync', 'target', (path) => NamespaceSet.unmountSync(path)],
    ['mountSync of one kind', 'target.net', (path) => net.mountSync({ net: path })],
    ['the option cwd', 'options.cwd', (cwd) => here.spawn('true', [], { cwd })],
    ['the option root', 'options.root', (root) => NamespaceSet.unshareSync('mnt', { root })],
  ]
  for (const [taker, name, call] of takers) {
    const wrong = (path: unknown) => () => call(untyped<never>(path))
    describe(taker, () => {
      refuses([
        ['empty', wrong(''), value(name, 'empty')],
        ['empty bytes', wrong(Buffer.alloc(0)), value(name, 'empty')],
        ['with a NUL', wrong('/proc/self/ns/net\0'), value(name, 'NUL')],
        ['bytes with a NUL', wrong(Buffer.from('/\0')), value(name, 'NUL')],
        ['a number', wrong(3), type(name, 'number')],
        // As with child_process, a null cwd is ignored.
        ...(taker === 'the option cwd' ? [] : [['null', wrong(null), type(name, 'null')] as Case]),
        // The root directory can be an object, too: a tmpfs.
        [
          'an object',
          wrong({ path: '/' }),
          taker === 'the option root' ? value(name, "'path'") : type(name, 'an object'),
        ],
        // As Node's own fs does.
        ['a URL of another scheme', wrong(new URL('http://localhost/')), value(name, 'file: URL')],
      ])
    })
  }

  describe('of the wrong type', () => {
    const none = (path: string) => system('EINVAL', path, 'not a namespace')
    refuses([
      ['fromPath: missing', () => NamespaceSet.fromPath(missing), system('ENOENT', missing)],
      ['fromPath: a file', () => NamespaceSet.fromPath(ordinary), none(ordinary)],
      ['fromPath: a directory', () => NamespaceSet.fromPath(folder), none(folder)],
      ['fromPath: a device', () => NamespaceSet.fromPath('/dev/zero'), none('/dev/zero')],
      ['fromPath: below a file', () => NamespaceSet.fromPath(`${ordinary}/net`), system('ENOTDIR', ordinary)],
      ['fromPath: too long', () => NamespaceSet.fromPath(`/${'x'.repeat(5_000)}`), system('ENAMETOOLONG')],
      ['fromDirectory: missing', () => NamespaceSet.fromDirectory(missing), system('ENOENT', missing)],
      ['fromDirectory: a file', () => NamespaceSet.fromDirectory(ordinary), system('ENOTDIR', ordinary)],
      ['fromDirectory: no namespaces', () => NamespaceSet.fromDirectory(folder), system('ENOENT', folder)],
      ['unmount: missing', () => NamespaceSet.unmount(missing), system('ENOENT', missing)],
      ['unmount: a file', () => NamespaceSet.unmount(ordinary), system('EINVAL', ordinary)],
      ['unmount: a directory', () => NamespaceSet.unmount(folder), system('EINVAL', folder)],
    ])
  })
})

describe('descriptors', () => {
  const wrong = (number: unknown) => () => NamespaceSet.fromFd(untyped<number>(number))
  const cases: Case[] = [
    ['negative', wrong(-1), range("'fd'", '(-1)')],
    ['a fraction', wrong(0.5), range("'fd'", '(0.5)')],
    ['2**31', wrong(2 ** 31), range("'fd'", '(2147483648)')],
    ['text', wrong('0'), type('"fd"', "'0'")],
    ['nothing', wrong(undefined), type('"fd"')],
    ['one that is not open', wrong(2 ** 31 - 1), system('EBADF', 'not open', '2147483647')],
    ['of a regular file', wrong(fd), system('EINVAL', 'not a namespace')],
  ]
  refuses(cases)

  test('of a socket', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const socket = untyped<{ _handle: { fd: number } }>(server)._handle.fd
    expect(await failureOf(wrong(socket))).toMatchObject({ name: 'NamespaceError', code: 'EINVAL' })
    await new Promise((resolve) => server.close(resolve))
  })
})

test('asynchronous functions reject, and never throw', async () => {
  const kinds = untyped<NamespaceKind>('no kind')
  const calls = [
    () => NamespaceSet.unshare(kinds),
    () => here.unshare(kinds),
    () => NamespaceSet.unmount(''),
    () => here.mount(''),
    () => here.execFile(''),
  ]
  for (const call of calls) {
    const promise = call()
    expect(promise).toBeInstanceOf(Promise)
    expect(await failureOf(() => promise)).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' })
  }
})
