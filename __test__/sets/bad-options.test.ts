/** Options that make no sense: of the wrong type, without their kind, and maps that the kernel does not take. */
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
      [`${option}: ${String(given)}, at once`, () => NamespaceSet.unshareSync('ipc', bag), expected],
      [`${option}: ${String(given)}, with a promise`, () => NamespaceSet.unshare('ipc', bag), expected],
      // The set's own kind is no new one.
      [`${option}: ${String(given)}, of a set`, () => here.unshareSync('ipc', bag), expected],
    ])
  }
  refuses([
    [
      'mapUser along with maps',
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
    ['null for options', wrong(null), type('options', 'null')],
    ['text for options', wrong('root'), type('options', "'root'")],
    ['an array for options', wrong([]), type('options', 'an array')],
    ['uidMaps: no array', wrong({ uidMaps: {} }), type('options.uidMaps', 'an object')],
    ['uidMaps: of text', wrong({ uidMaps: ['0 0 1'] }), type('options.uidMaps[0]', "'0 0 1'")],
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
    ['mounts: no array', wrong({ mounts: 'proc' }), type('options.mounts', "'proc'")],
    ['mounts: of null', wrong({ mounts: [null] }), type('options.mounts[0]', 'null')],
    ['mounts: without a type', mount({ type: undefined }), value('options.mounts[0].type', 'is required')],
    ['mounts: of no type', mount({ type: '' }), value('options.mounts[0].type')],
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
    ['mounts: readOnly as text', mount({ readOnly: 'ro' }), type('options.mounts[0].readOnly', "'ro'")],
    ['mounts: options as text', mount({ options: 'size=1' }), type('options.mounts[0].options', "'size=1'")],
    [
      'mounts: an option that is null',
      mount({ options: { size: null } }),
      type('options.mounts[0].options.size', 'null'),
    ],
    [
      'mounts: an option that is empty',
      mount({ options: { size: '' } }),
      value('options.mounts[0].options.size', 'empty'),
    ],
  ]
  refuses(cases)

  test('signal: no AbortSignal', async () => {
    const failure = await failureOf(() => NamespaceSet.unshare('user', { signal: untyped(new AbortController()) }))
    expect(failure).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE', message: expect.stringContaining('options.signal') })
  })
})

describe('id maps that the kernel does not take', () => {
  const own = process.getuid?.() ?? 0
  const maps = (...list: [number, number, number][]) =>
    list.map(([containerId, hostId, size]) => ({ containerId, hostId, size }))
  const senseless: [string, IdMap[]][] = [
    ['overlap inside', maps([0, own, 1], [0, own + 100_000, 1])],
    ['overlap outside', maps([0, own, 1], [1, own, 1])],
    ['pass the last id inside', maps([4294967295, own, 2])],
    ['pass the last id outside', maps([0, 4294967295, 2])],
    ['are empty', maps([0, own, 0])],
    [
      'are too many',
      maps(...Array.from({ length: 341 }, (_, index) => [index, own + index, 1] as [number, number, number])),
    ],
  ]
  for (const [wrong, uidMaps] of senseless) {
    // Of an ordinary user's, newuidmap(1) sees some first, and says it in its own words.
    asRoot(`those that ${wrong}`, 'the kernel itself has to see them', async () => {
      for (const unshare of [NamespaceSet.unshare, NamespaceSet.unshareSync]) {
        const failure = await failureOf(() => unshare('user', { uidMaps }))
        expect(failure).toMatchObject({ name: 'NamespaceError', code: 'EINVAL', syscall: 'uid_map', kind: 'user' })
        expect(failure.message).toMatch(/overlap.*4294967295.*empty.*340/)
      }
    })
  }

  asOrdinaryUser('those that overlap, written by newuidmap(1), are explained no worse', async () => {
    const { start } = ownRange('/etc/subuid')
    const overlap = maps([0, start, 10], [5, start + 100, 10])
    const failure = await failureOf(() => NamespaceSet.unshareSync('user', { uidMaps: overlap }))
    expect(failure).toMatchObject({ name: 'NamespaceError', code: 'EINVAL', syscall: 'newuidmap', kind: 'user' })
    expect(failure.message).toMatch(/overlap/)
  })

  asOrdinaryUser("those of ids that are somebody else's name who gives them away", async () => {
    const failure = await failureOf(() => NamespaceSet.unshareSync('user', { uidMaps: maps([0, 0, 1]) }))
    expect(failure).toMatchObject({ name: 'NamespaceError', code: 'EPERM', kind: 'user' })
    expect(failure.message).toContain('/etc/subuid')
  })

  asOrdinaryUser('a group map with setgroups allowed says what it needs', async () => {
    const gidMaps = maps([0, process.getgid?.() ?? 0, 1])
    const failure = await failureOf(() => NamespaceSet.unshareSync('user', { gidMaps, setgroups: 'allow' }))
    expect(failure).toMatchObject({ name: 'NamespaceError', code: 'EPERM', syscall: 'gid_map', kind: 'user' })
    expect(failure.message).toContain("setgroups 'deny'")
  })

  asOrdinaryUser(
    'without a user namespace there is none for an ordinary user, and the message names the way',
    async () => {
      const failure = await failureOf(() => NamespaceSet.unshareSync(['net', 'uts']))
      expect(failure).toMatchObject({ name: 'NamespaceError', code: 'EPERM', syscall: 'unshare' })
      expect(failure.message).toContain("'user'")
    },
  )
})

describe('do and enter', () => {
  const wrong = (options: unknown) => () => here.do(() => expect.unreachable(), untyped(options))
  refuses([
    ['no function', () => here.do(untyped(undefined)), type('"fn"', 'undefined')],
    ['text for a function', () => here.do(untyped('fn')), type('"fn"', "'fn'")],
    ['null for options', wrong(null), type('options', 'null')],
    ['a kind for options', wrong('net'), type('options', "'net'")],
    [
      'enter: mainThread as text',
      () => here.enter({ mainThread: untyped('yes') }),
      type('options.mainThread', "'yes'"),
    ],
    ['enter: null for options', () => here.enter(untyped(null)), type('options', 'null')],
    ['enter on the main thread', () => here.enter(), ['TypeError', 'ERR_NSSET_NOT_ENTERABLE', 'mainThread', 'Worker']],
  ])
})

describe('equals', () => {
  refuses([
    ['with nothing', () => here.equals(untyped(undefined)), type('other', 'undefined')],
    ['with an id', () => here.equals(untyped('net:[1]')), type('other', "'net:[1]'")],
    ['with what looks like a set', () => here.equals(untyped({ kinds: ['net'] })), type('other', 'an object')],
  ])
})

describe('mount', () => {
  const cases: [string, unknown, Expected][] = [
    ['nothing', undefined, type('target', 'undefined')],
    ['null', null, type('target', 'null')],
    ['a number', 5, type('target', '5')],
    ['an array', ['/tmp'], type('target', 'an array')],
    ['no kind', {}, value('target', 'at least one')],
    ['only undefined ones', { net: undefined }, value('target', 'at least one')],
    ['an unknown kind', { network: 'x' }, value('target', "'network'")],
    ['a file that is none', { net: 5 }, type('target.net', '5')],
    ['a directory that is empty text', '', value('target', 'empty')],
    ['a directory with a NUL', '/\0', value('target', 'NUL')],
  ]
  refuses(
    cases.flatMap(([wrong, target, expected]): Case[] => [
      [`${wrong}, at once`, () => here.mountSync(untyped(target)), expected],
      [`${wrong}, with a promise`, () => here.mount(untyped(target)), expected],
    ]),
  )
})

describe('spawn and execFile', () => {
  const cases: [string, args: unknown[], Expected][] = [
    ['no file', [], type('"file"', 'undefined')],
    ['an empty file', [''], value("'file'", 'empty')],
    ['a file with a NUL', ['true\0'], value("'file'", 'NUL')],
    ['a number for a file', [5], type('"file"', '5')],
    ['text for arguments', ['true', 'x'], type('"args"', "'x'")],
    ['a number for arguments', ['true', 5], type('"args"', '5')],
    ['an argument that is a number', ['true', ['x', 5]], type('args[1]', '5')],
    ['an argument with a NUL', ['true', ['\0']], value('args[0]', 'NUL')],
    ['text for options', ['true', [], 'x'], type('options', "'x'")],
    ['null for options', ['true', [], null], type('options', 'null')],
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

  test('kill: what is no signal', async () => {
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
