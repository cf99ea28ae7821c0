/** Invalid options: of the wrong type, without their kind, and id maps that the kernel rejects. */
import { type IdMap, NamespaceSet, type UnshareSyncOptions } from 'nsset'
import { afterAll, describe, expect, test } from 'vitest'
import { ownRange } from '../setup/oracles/subordinate-ids.ts'
import { type Case, type Expected, failureOf, range, refuses, type, untyped, value } from '../setup/sets/failure.ts'
import { asOrdinaryUser, asRoot } from '../setup/sets/privilege.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'

const here = NamespaceSet.current()
const directory = temporaryDirectory()
afterAll(() => {
  here.close()
  directory[Symbol.dispose]()
})

describe('an option of unshare without its kind', () => {
  const ids: IdMap[] = [{ containerId: 0, hostId: 0, size: 1 }]
  const options: [keyof UnshareSyncOptions, unknown, kind: string][] = [
    ['uidMaps', ids, 'user'],
    ['gidMaps', ids, 'user'],
    ['mapUser', 'root', 'user'],
    ['mapUser', 0, 'user'],
    ['setgroups', 'deny', 'user'],
    ['timeOffsets', { monotonic: 1 }, 'time'],
    ['hostname', 'name', 'uts'],
    ['loopback', true, 'net'],
    ['propagation', 'private', 'mnt'],
    ['mounts', [{ type: 'tmpfs', target: '/tmp' }], 'mnt'],
    ['root', '/', 'mnt'],
  ]
  for (const [option, given, kind] of options) {
    const expected = value(`'${option}'`, `a new ${kind} namespace`)
    const bag = { [option]: given }
    refuses([
      [`${option}: ${String(given)}, synchronous`, () => NamespaceSet.unshareSync('ipc', bag), expected],
      [`${option}: ${String(given)}, asynchronous`, () => NamespaceSet.unshare('ipc', bag), expected],
      // A kind of the set is not a new namespace.
      [`${option}: ${String(given)}, of a set`, () => here.unshareSync('ipc', bag), expected],
    ])
  }
  refuses([
    [
      'mapUser together with maps',
      () => NamespaceSet.unshareSync('user', { mapUser: 'root', uidMaps: ids }),
      value("'mapUser'", "'uidMaps'"),
    ],
  ])
})

describe('options of unshare', () => {
  const wrong = (options: unknown) => () =>
    NamespaceSet.unshareSync(['user', 'mnt', 'time', 'uts', 'net'], untyped(options))
  const map = (fields: object) => wrong({ uidMaps: [{ containerId: 0, hostId: 0, size: 1, ...fields }] })
  const mount = (fields: object) => wrong({ mounts: [{ type: 'tmpfs', target: '/tmp', ...fields }] })
  const cases: Case[] = [
    ['options: null', wrong(null), type('options', 'null')],
    ['options: a string', wrong('root'), type('options', "'root'")],
    ['options: an array', wrong([]), type('options', 'an array')],
    ['uidMaps: not an array', wrong({ uidMaps: {} }), type('options.uidMaps', 'an object')],
    ['uidMaps: of strings', wrong({ uidMaps: ['0 0 1'] }), type('options.uidMaps[0]', "'0 0 1'")],
    ['uidMaps: without size', map({ size: undefined }), value('options.uidMaps[0].size', 'is required')],
    ['uidMaps: negative', map({ containerId: -1 }), range('options.uidMaps[0].containerId', '-1')],
    ['uidMaps: a fraction', map({ hostId: 0.5 }), range('options.uidMaps[0].hostId', '0.5')],
    ['uidMaps: 2**32', map({ hostId: 2 ** 32 }), range('options.uidMaps[0].hostId', '4294967296')],
    [
      'gidMaps: a name',
      wrong({ gidMaps: [{ containerId: 0, hostId: 'adm', size: 1 }] }),
      type('options.gidMaps[0].hostId', "'adm'"),
    ],
    [
      'mapUser: an unknown word',
      wrong({ mapUser: 'toor' }),
      value('options.mapUser', "'toor'", "'root', 'current', 'auto'"),
    ],
    ['mapUser: negative', wrong({ mapUser: -1 }), range('options.mapUser', '-1')],
    ['mapUser: true', wrong({ mapUser: true }), type('options.mapUser', 'true')],
    ['setgroups: an unknown word', wrong({ setgroups: 'no' }), value('options.setgroups', "'no'")],
    ['setgroups: false', wrong({ setgroups: false }), value('options.setgroups', 'false')],
    ['timeOffsets: a number', wrong({ timeOffsets: 5 }), type('options.timeOffsets', '5')],
    ['timeOffsets: text', wrong({ timeOffsets: { monotonic: '5' } }), type('options.timeOffsets.monotonic', "'5'")],
    [
      'timeOffsets: infinite',
      wrong({ timeOffsets: { boottime: Infinity } }),
      range('options.timeOffsets.boottime', 'Infinity'),
    ],
    ['hostname: a number', wrong({ hostname: 5 }), type('options.hostname', '5')],
    ['hostname: with a NUL', wrong({ hostname: 'a\0b' }), value('options.hostname', 'NUL')],
    ['loopback: text', wrong({ loopback: 'yes' }), type('options.loopback', "'yes'")],
    ['propagation: an unknown word', wrong({ propagation: 'none' }), value('options.propagation', "'none'", 'private')],
    ['mounts: not an array', wrong({ mounts: 'proc' }), type('options.mounts', "'proc'")],
    ['mounts: of null', wrong({ mounts: [null] }), type('options.mounts[0]', 'null')],
    ['mounts: without a type', mount({ type: undefined }), value('options.mounts[0].type', 'is required')],
    ['mounts: an empty type', mount({ type: '' }), value('options.mounts[0].type')],
    ['mounts: without a target', mount({ target: undefined }), value('options.mounts[0].target', 'is required')],
    ['mounts: a target with a NUL', mount({ target: '\0' }), value('options.mounts[0].target', 'NUL')],
    ['mounts: bind without a source', mount({ type: 'bind' }), value('options.mounts[0].source', 'is required')],
    [
      'mounts: bind with options',
      mount({ type: 'bind', source: '/', options: { size: 1 } }),
      value("Unknown option 'options' of options.mounts[0]"),
    ],
    [
      'mounts: recursive without bind',
      mount({ recursive: true }),
      value("Unknown option 'recursive' of options.mounts[0]"),
    ],
    ['mounts: readOnly as a string', mount({ readOnly: 'ro' }), type('options.mounts[0].readOnly', "'ro'")],
    ['mounts: options as a string', mount({ options: 'size=1' }), type('options.mounts[0].options', "'size=1'")],
    ['mounts: a null option', mount({ options: { size: null } }), type('options.mounts[0].options.size', 'null')],
    ['mounts: an empty option', mount({ options: { size: '' } }), value('options.mounts[0].options.size', 'empty')],
  ]
  refuses(cases)

  test('signal: not an AbortSignal', async () => {
    const failure = await failureOf(() => NamespaceSet.unshare('user', { signal: untyped(new AbortController()) }))
    expect(failure).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE', message: expect.stringContaining('options.signal') })
  })
})

describe('id maps that the kernel rejects', () => {
  const own = process.getuid?.() ?? 0
  const maps = (...list: [number, number, number][]) =>
    list.map(([containerId, hostId, size]) => ({ containerId, hostId, size }))
  const senseless: [string, IdMap[]][] = [
    ['overlap inside', maps([0, own, 1], [0, own + 100_000, 1])],
    ['overlap outside', maps([0, own, 1], [1, own, 1])],
    ['exceed the last id inside', maps([4294967295, own, 2])],
    ['exceed the last id outside', maps([0, 4294967295, 2])],
    ['are empty', maps([0, own, 0])],
    [
      'are too many',
      maps(...Array.from({ length: 341 }, (_, index) => [index, own + index, 1] as [number, number, number])),
    ],
  ]
  for (const [wrong, uidMaps] of senseless) {
    // For an ordinary user newuidmap(1) detects some first, and reports them in its own words.
    asRoot(`maps that ${wrong}`, 'the kernel itself must check them', async () => {
      for (const unshare of [NamespaceSet.unshare, NamespaceSet.unshareSync]) {
        const failure = await failureOf(() => unshare('user', { uidMaps }))
        expect(failure).toMatchObject({ name: 'NamespaceError', code: 'EINVAL', syscall: 'uid_map', kind: 'user' })
        expect(failure.message).toMatch(/overlap.*4294967295.*empty.*340/)
      }
    })
  }

  asOrdinaryUser('overlapping maps written by newuidmap(1) are explained, too', async () => {
    const { start } = ownRange('/etc/subuid')
    const overlap = maps([0, start, 10], [5, start + 100, 10])
    const failure = await failureOf(() => NamespaceSet.unshareSync('user', { uidMaps: overlap }))
    expect(failure).toMatchObject({ name: 'NamespaceError', code: 'EINVAL', syscall: 'newuidmap', kind: 'user' })
    expect(failure.message).toMatch(/overlap/)
  })

  asOrdinaryUser("maps of another user's ids name the file that assigns them", async () => {
    const failure = await failureOf(() => NamespaceSet.unshareSync('user', { uidMaps: maps([0, 0, 1]) }))
    expect(failure).toMatchObject({ name: 'NamespaceError', code: 'EPERM', kind: 'user' })
    expect(failure.message).toContain('/etc/subuid')
  })

  asOrdinaryUser('a group map with setgroups allowed explains what it requires', async () => {
    const gidMaps = maps([0, process.getgid?.() ?? 0, 1])
    const failure = await failureOf(() => NamespaceSet.unshareSync('user', { gidMaps, setgroups: 'allow' }))
    expect(failure).toMatchObject({ name: 'NamespaceError', code: 'EPERM', syscall: 'gid_map', kind: 'user' })
    expect(failure.message).toContain("setgroups 'deny'")
  })

  asOrdinaryUser('without a user namespace an ordinary user gets EPERM, and the message names the remedy', async () => {
    const failure = await failureOf(() => NamespaceSet.unshareSync(['net', 'uts']))
    expect(failure).toMatchObject({ name: 'NamespaceError', code: 'EPERM', syscall: 'unshare' })
    expect(failure.message).toContain("'user'")
  })
})

describe('do and enter', () => {
  const wrong = (options: unknown) => () => here.do(() => expect.unreachable(), untyped(options))
  refuses([
    ['no function', () => here.do(untyped(undefined)), type('"fn"', 'undefined')],
    ['fn: a string', () => here.do(untyped('fn')), type('"fn"', "'fn'")],
    ['options: null', wrong(null), type('options', 'null')],
    ['options: a kind', wrong('net'), type('options', "'net'")],
    [
      'enter: mainThread as a string',
      () => here.enter({ mainThread: untyped('yes') }),
      type('options.mainThread', "'yes'"),
    ],
    ['enter: null options', () => here.enter(untyped(null)), type('options', 'null')],
    ['enter on the main thread', () => here.enter(), ['TypeError', 'ERR_NSSET_NOT_ENTERABLE', 'mainThread', 'Worker']],
  ])
})

describe('equals()', () => {
  refuses([
    ['with nothing', () => here.equals(untyped(undefined)), type('other', 'undefined')],
    ['with an id', () => here.equals(untyped('net:[1]')), type('other', "'net:[1]'")],
    ['with an object that resembles a set', () => here.equals(untyped({ kinds: ['net'] })), type('other', 'an object')],
  ])
})

describe('mount()', () => {
  const cases: [string, unknown, Expected][] = [
    ['nothing', undefined, type('target', 'undefined')],
    ['null', null, type('target', 'null')],
    ['a number', 5, type('target', '5')],
    ['an array', ['/tmp'], type('target', 'an array')],
    ['no kind', {}, value('target', 'at least one')],
    ['only undefined kinds', { net: undefined }, value('target', 'at least one')],
    ['an unknown kind', { network: 'x' }, value('target', "'network'")],
    ['an invalid file', { net: 5 }, type('target.net', '5')],
    ['an empty directory', '', value('target', 'empty')],
    ['a directory with a NUL', '/\0', value('target', 'NUL')],
  ]
  refuses(
    cases.flatMap(([wrong, target, expected]): Case[] => [
      [`${wrong}, synchronous`, () => here.mountSync(untyped(target)), expected],
      [`${wrong}, asynchronous`, () => here.mount(untyped(target)), expected],
    ]),
  )
})

describe('spawn and execFile', () => {
  const cases: [string, args: unknown[], Expected][] = [
    ['no file', [], type('"file"', 'undefined')],
    ['file: empty', [''], value("'file'", 'empty')],
    ['file: with a NUL', ['true\0'], value("'file'", 'NUL')],
    ['file: a number', [5], type('"file"', '5')],
    ['args: a string', ['true', 'x'], type('"args"', "'x'")],
    ['args: a number', ['true', 5], type('"args"', '5')],
    ['args: with a number', ['true', ['x', 5]], type('args[1]', '5')],
    ['args: with a NUL', ['true', ['\0']], value('args[0]', 'NUL')],
    ['options: a string', ['true', [], 'x'], type('options', "'x'")],
    ['options: null', ['true', [], null], type('options', 'null')],
    ['env: text', ['true', [], { env: 'A=1' }], type('options.env', "'A=1'")],
    ['env: a name with =', ['true', [], { env: { 'A=B': '1' } }], value('options.env', "'A=B'")],
    ['env: an empty name', ['true', [], { env: { '': '1' } }], value('options.env')],
    ['env: a name with a NUL', ['true', [], { env: { 'A\0': '1' } }], value('options.env', 'NUL')],
    ['env: a value with a NUL', ['true', [], { env: { A: '\0' } }], value('options.env.A', 'NUL')],
    ['cwd: a number', ['true', [], { cwd: 5 }], type('options.cwd', '5')],
  ]
  const ofSpawn: [string, args: unknown[], Expected][] = [
    ['stdio: an unknown word', ['true', [], { stdio: 'pope' }], value('options.stdio', "'pope'")],
    [
      'stdio: an unknown word in an array',
      ['true', [], { stdio: ['pipe', 'pope'] }],
      value('options.stdio[1]', "'pope'"),
    ],
    ['stdio: a negative descriptor', ['true', [], { stdio: [-1] }], range('options.stdio[0]', '-1')],
    ['stdio: an object', ['true', [], { stdio: {} }], type('options.stdio', 'an object')],
    ['stdio: too many', ['true', [], { stdio: Array(257).fill('ignore') }], value('options.stdio', '256')],
  ]
  const ofExecFile: [string, args: unknown[], Expected][] = [
    ['encoding: unknown', ['true', [], { encoding: 'klingon' }], value('options.encoding', "'klingon'")],
    ['encoding: a number', ['true', [], { encoding: 5 }], value('options.encoding', '5')],
    ['maxBuffer: not a number', ['true', [], { maxBuffer: '1' }], type('options.maxBuffer', "'1'")],
    ['maxBuffer: below 0', ['true', [], { maxBuffer: -1 }], value('options.maxBuffer', '-1')],
    ['input: a number', ['true', [], { input: 5 }], type('options.input', '5')],
    ['reject: a number', ['true', [], { reject: 0 }], type('options.reject', '0')],
  ]
  const spawn = untyped<(...args: unknown[]) => unknown>(here.spawn.bind(here))
  const execFile = untyped<(...args: unknown[]) => unknown>(here.execFile.bind(here))
  describe('spawn', () =>
    refuses([...cases, ...ofSpawn].map(([wrong, args, expected]) => [wrong, () => spawn(...args), expected])))
  describe('execFile', () =>
    refuses([...cases, ...ofExecFile].map(([wrong, args, expected]) => [wrong, () => execFile(...args), expected])))

  test('kill: an invalid signal', async () => {
    const child = here.spawn('sleep', ['60'], { stdio: 'ignore' })
    const ended = new Promise((resolve) => child.once('exit', resolve))
    try {
      expect(await failureOf(() => child.kill(untyped('SIGNONE')))).toMatchObject({ code: 'ERR_UNKNOWN_SIGNAL' })
      expect(await failureOf(() => child.kill(65))).toMatchObject({ code: 'ERR_UNKNOWN_SIGNAL' })
      expect(await failureOf(() => child.kill(untyped({})))).toMatchObject({ code: 'ERR_UNKNOWN_SIGNAL' })
      expect(child.killed).toBe(false)
    } finally {
      child.kill('SIGKILL')
      await ended
    }
  })
})
