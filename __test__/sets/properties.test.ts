/**
 * Random arguments for every public function and method: only documented errors are thrown, and nothing is left behind.
 * Paths that could be mounted or unmounted are in the test's own directory.
 */
import { ChildProcess } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import fc from 'fast-check'
import { ExecFileError, FdSet, NamespaceError, NamespaceSet } from 'nsset'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually, resources } from '../setup/guards/resources.ts'
import { ALL_KINDS } from '../setup/guards/thread-place.ts'
import { mountsBelow } from '../setup/oracles/mounts.ts'
import { anything, bag, kind, kinds, noText, number, text } from '../setup/sets/arbitrary.ts'
import { isRoot } from '../setup/sets/privilege.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'

type Call = (...args: unknown[]) => unknown

const MISUSE = [
  'ERR_INVALID_ARG_TYPE',
  'ERR_INVALID_ARG_VALUE',
  'ERR_NSSET_AMBIGUOUS',
  'ERR_NSSET_ASYNC_CALLBACK',
  'ERR_NSSET_CLOSED',
  'ERR_NSSET_NOT_ENTERABLE',
  'ERR_NSSET_NOT_IN_SET',
  'ERR_UNKNOWN_SIGNAL',
  // As Node's own fs reports it for a URL.
  'ERR_INVALID_FILE_URL_HOST',
  'ERR_INVALID_FILE_URL_PATH',
]

const directory = temporaryDirectory()
const arena = directory.file('arena')

/** Names in the arena, some of which exist; text used as a path is modified to stay in it. */
const names = fc.oneof(fc.constantFrom('', 'empty', 'content', 'folder', 'net', 'missing/net'), text)
const paths = fc.oneof(
  { weight: 4, arbitrary: names.map((name) => join(arena, name.replaceAll('/', '_').replaceAll('..', '__'))) },
  { weight: 1, arbitrary: fc.constantFrom('empty', 'content', 'net').map((name) => Buffer.from(join(arena, name))) },
  { weight: 1, arbitrary: fc.constantFrom('empty', 'net').map((name) => pathToFileURL(join(arena, name))) },
  { weight: 1, arbitrary: fc.webUrl().map((url) => new URL(url)) },
)

let set: NamespaceSet
let home: NamespaceSet
let closed: NamespaceSet
let before: ReturnType<typeof resources>

beforeAll(async () => {
  home = NamespaceSet.current()
  set = NamespaceSet.unshareSync(
    isRoot ? ['net', 'uts', 'ipc'] : ['user', 'net', 'uts', 'ipc'],
    isRoot ? {} : { mapUser: 'root' },
  )
  closed = set.dup()
  closed.close()
  // What Node.js creates for its first child is created before the count.
  await outcomeOf(() => set.execFile('/bin/true'))
  before = resources()
})

afterAll(() => {
  set.close()
  home.close()
  directory[Symbol.dispose]()
})

/** Makes the call, undoes its effects, and throws only undocumented errors. */
async function outcomeOf(call: () => unknown, own?: unknown): Promise<void> {
  try {
    const result = await call()
    if (result instanceof ChildProcess) await endOf(result)
    if (result instanceof NamespaceSet || result instanceof FdSet) result.close()
  } catch (error) {
    if (Object.is(error, own) && own !== undefined) return
    expectDocumented(error)
  }
}

async function endOf(child: ChildProcess): Promise<void> {
  await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve))
}

function expectDocumented(error: unknown): void {
  if (error instanceof ExecFileError) return
  if (error instanceof NamespaceError) {
    expect(error.code).toMatch(/^E[A-Z0-9]+$/)
    expect(error.errno).toBeLessThan(0)
    expect(error.syscall).toMatch(/./)
    expect(error.message).toContain(error.code)
    return
  }
  const isMisuse = error instanceof TypeError || error instanceof RangeError
  expect(isMisuse && MISUSE.includes((error as { code?: string }).code ?? ''), String((error as Error)?.stack)).toBe(
    true,
  )
}

/** A property of a function with this many arguments, which are sometimes too few or too many. */
function holds(name: string, call: () => Call, args: fc.Arbitrary<unknown[]>, runs = 100): void {
  test(name, async () => {
    await fc.assert(
      fc.asyncProperty(args, fc.nat(20), async (given, cut) => {
        const some = cut === 0 ? given.slice(0, -1) : cut === 1 ? [...given, 5] : given
        rmSync(arena, { recursive: true, force: true })
        mkdirSync(join(arena, 'folder'), { recursive: true })
        writeFileSync(join(arena, 'empty'), '')
        writeFileSync(join(arena, 'content'), 'content')
        await outcomeOf(() => call()(...some))
        for (const { target } of mountsBelow(arena)) NamespaceSet.unmountSync(target)
      }),
      { numRuns: runs },
    )
    expect(mountsBelow(directory.path)).toEqual([])
    const { descriptors, threads, children } = before
    const same = (now: typeof before) =>
      now.descriptors === descriptors && now.threads === threads && now.children === children
    expect(await eventually(resources, same)).toMatchObject({ descriptors, threads, children })
  })
}

const ours = (method: keyof NamespaceSet) => () => (set[method] as Call).bind(set)
const statics = NamespaceSet as unknown as Record<string, Call>
const of = (name: string) => () => (statics[name] as Call).bind(NamespaceSet)

// --- the sources of sets

holds('current', of('current'), fc.tuple(kinds))
holds('fromPid', of('fromPid'), fc.tuple(fc.oneof(fc.constant(process.pid), number, anything), kinds))
holds(
  'fromThread',
  of('fromThread'),
  fc.tuple(fc.oneof(fc.constant(process.pid), anything), fc.oneof(fc.constant(process.pid), anything), kinds),
)
holds('fromDirectory', of('fromDirectory'), fc.tuple(fc.oneof(fc.constant('/proc/self/ns'), paths, anything), kinds))
holds('fromPath', of('fromPath'), fc.tuple(fc.oneof(fc.constant('/proc/self/ns/net'), paths, anything), kind))
holds(
  'fromContainer',
  of('fromContainer'),
  fc.tuple(
    fc.oneof(fc.constantFrom('web', '../web', 'docker', '0123456789ab'), anything),
    bag({ kinds, socketPath: paths }),
  ),
)
holds('fromFd', of('fromFd'), fc.tuple(fc.oneof(fc.nat(64), anything), kind))

// --- properties of a set

for (const method of ['has', 'id', 'stat', 'path', 'owner', 'parent'] as const)
  holds(method, ours(method), fc.tuple(kind))
for (const method of ['dup', 'fds'] as const) holds(method, ours(method), fc.tuple(kinds))
holds(
  'FdSet.get',
  () => (one) => {
    using fds = set.fds()
    return (fds.get as Call)(one)
  },
  fc.tuple(kind),
)
holds(
  'equals',
  ours('equals'),
  fc.tuple(
    fc.oneof(
      anything,
      fc.constantFrom(0, 1, 2).map((index) => [set, home, closed][index]),
    ),
    kinds,
  ),
)

// --- creating sets; mounts inside stay inside: no `shared`, no `unchanged`

const id = fc.oneof(fc.nat(10), fc.constantFrom(process.getuid?.(), 100_000, 4294967295), number)
const maps = fc.array(bag({ containerId: id, hostId: id, size: id }), { maxLength: 4 })
const unshareOptions = bag({
  uidMaps: maps,
  gidMaps: maps,
  mapUser: fc.oneof(fc.constantFrom('root', 'current', 'auto', 0, 5), text),
  setgroups: fc.oneof(fc.constantFrom('allow', 'deny'), text),
  timeOffsets: bag({ monotonic: number, boottime: number }),
  hostname: text,
  loopback: fc.boolean(),
  propagation: fc.oneof(fc.constantFrom('private', 'slave'), text),
  mounts: fc.array(
    bag({
      type: fc.oneof(fc.constantFrom('tmpfs', 'proc', 'bind', 'nosuchfs'), text),
      source: paths,
      target: paths,
      readOnly: fc.boolean(),
      recursive: fc.boolean(),
      options: fc.dictionary(text, fc.oneof(text, number, fc.constant(true)), { maxKeys: 3 }),
    }),
    { maxLength: 3 },
  ),
  root: paths,
})
/** Options rarely match their kind: half the time all kinds are requested, and little else. */
const likely = fc.tuple(
  fc.constant([...ALL_KINDS]),
  fc.oneof(unshareOptions, bag({ mapUser: fc.constant('root'), hostname: text })),
)
const unshareArguments = fc.oneof(fc.tuple(kinds, unshareOptions), likely)

holds('NamespaceSet.unshareSync', of('unshareSync'), unshareArguments)
holds('NamespaceSet.unshare', of('unshare'), unshareArguments)
holds('unshareSync', ours('unshareSync'), unshareArguments)
holds('unshare', ours('unshare'), unshareArguments)

// --- entering; errors of the function are thrown unchanged

const doOptions = fc.oneof(bag({ kinds }), fc.constant({}), fc.constant(undefined))
holds(
  'do',
  ours('do'),
  fc.tuple(fc.oneof(fc.func(anything), fc.func(anything.map((value) => Promise.resolve(value))), anything), doOptions),
)
const enterOptions = fc
  .oneof(bag({ kinds, mainThread: fc.constant(false) }), noText)
  // It would be permanent.
  .filter((options) => (options as { mainThread?: unknown } | null | undefined)?.mainThread !== true)
holds('enter, on the main thread', ours('enter'), fc.tuple(enterOptions))

test('an error of the function passed to do is thrown unchanged', async () => {
  await fc.assert(
    fc.asyncProperty(
      anything.filter((thrown) => thrown !== undefined),
      doOptions,
      async (thrown, options) => {
        const call = () =>
          home.do(
            () => {
              throw thrown
            },
            options as { kinds: 'net' },
          )
        await outcomeOf(call, thrown)
      },
    ),
  )
})

// --- names in the file system

const noKinds = noText.filter(
  (value) => typeof value !== 'object' || value === null || !ALL_KINDS.some((name) => name in value),
)
const targets = fc.oneof(
  paths,
  fc.dictionary(fc.constantFrom(...ALL_KINDS), fc.oneof(paths, noText), { minKeys: 1, maxKeys: 3 }),
  fc.dictionary(fc.constantFrom('net', 'uts', 'ipc'), paths, { minKeys: 1, maxKeys: 3 }),
  noKinds,
)
holds('mountSync', ours('mountSync'), fc.tuple(targets))
holds('mount', ours('mount'), fc.tuple(targets))
holds('unmountSync', of('unmountSync'), fc.tuple(fc.oneof(paths, noText)))
holds('unmount', of('unmount'), fc.tuple(fc.oneof(paths, noText)))

// --- programs

const file = fc.oneof(
  fc.constantFrom('/bin/true', '/bin/true', '/bin/false', '/nowhere/at-all', 'no\0program', ''),
  noText,
)
const programArguments = fc.oneof(
  fc.array(
    text.filter((some) => some.length < 1_000),
    { maxLength: 4 },
  ),
  fc.array(anything, { maxLength: 3 }),
  noText,
)
const stdio = fc.oneof(fc.constantFrom('pipe', 'inherit', 'ignore'), fc.nat(40), text, noText)
const programOptions = {
  cwd: fc.oneof(fc.constant('/'), paths),
  env: fc.dictionary(text, anything, { maxKeys: 4 }),
  kinds: fc.oneof(kinds, fc.constantFrom(undefined, 'net', ['net', 'uts'])),
}
const ids = fc.oneof(fc.constantFrom(0, process.getuid?.(), 65_534, undefined, null), number)
const signals = fc.oneof(fc.constantFrom<unknown>('SIGTERM', 'SIGKILL', 'sigint', 9, 0, 64, undefined, null), anything)
/** Without effect on waiting: a program with these options ends by itself. */
const processOptions = {
  ...programOptions,
  argv0: fc.oneof(text, fc.constant('name')),
  shell: fc.oneof(fc.constantFrom<unknown>(false, true, '/bin/sh', '', '/nowhere/sh', null), noText),
  detached: fc.oneof(fc.boolean(), anything),
  uid: ids,
  gid: ids,
  groups: fc.oneof(fc.array(ids, { maxLength: 3 }), anything),
  signal: fc.oneof(
    fc.constantFrom<unknown>(undefined, AbortSignal.abort(), new AbortController().signal, AbortSignal.timeout(0)),
    anything,
  ),
  timeout: fc.oneof(fc.constantFrom<unknown>(0, 1, 1000, undefined, null), anything),
  killSignal: signals,
  keepCapabilities: fc.oneof(fc.boolean(), anything),
  noNewPrivileges: fc.oneof(fc.boolean(), anything),
  limits: fc.oneof(
    fc.dictionary(fc.constantFrom('openFiles', 'coreSize', 'stackSize'), number, { maxKeys: 2 }),
    anything,
  ),
  umask: fc.oneof(fc.constantFrom<unknown>(0, 0o777), number),
  nice: fc.oneof(fc.constantFrom<unknown>(0, 19), number),
  landlock: fc.oneof(fc.record({ read: fc.array(paths, { maxLength: 2 }), scoped: fc.boolean() }), anything),
  seccomp: fc.oneof(
    fc.record({ default: fc.constantFrom('allow', 'kill'), deny: fc.array(text, { maxLength: 2 }) }),
    fc.uint8Array({ maxLength: 16 }),
    anything,
  ),
  capabilities: fc.oneof(fc.subarray<unknown>(['CAP_CHOWN', 'CAP_KILL', 'CAP_NONE', 0]), anything),
  deathSignal: fc.oneof(fc.constantFrom<unknown>('SIGTERM', 15, undefined, null), anything),
}
const withStdio = bag({ ...processOptions, stdio: fc.oneof(stdio, fc.array(stdio, { maxLength: 6 })) })
const withEncoding = bag({
  ...processOptions,
  encoding: fc.oneof(fc.constantFrom('buffer', 'utf8', 'hex'), text),
  input: fc.oneof(text, fc.uint8Array(), anything),
  maxBuffer: fc.oneof(fc.constantFrom(0, 1, Infinity), anything),
  reject: fc.oneof(fc.boolean(), anything),
})
const withChannel = bag({
  ...processOptions,
  // Not Node.js, which is slow to start; it ends by itself as well.
  execPath: fc.oneof(
    fc.constantFrom('/bin/true', '/nowhere/node'),
    noText.filter((value) => value !== undefined),
  ),
  execArgv: fc.oneof(programArguments, fc.constant([])),
  serialization: fc.oneof(fc.constantFrom<unknown>('json', 'advanced', undefined), anything),
  silent: fc.oneof(fc.boolean(), anything),
  stdio: fc.oneof(stdio, fc.array(fc.oneof(stdio, fc.constant('ipc')), { maxLength: 6 })),
}).map((options) =>
  // If omitted, it would be Node.js.
  typeof options === 'object' && options !== null ? { execPath: '/bin/true', ...options } : { execPath: '/bin/true' },
)

holds('spawn', ours('spawn'), fc.tuple(file, programArguments, fc.oneof(withStdio, fc.constant(undefined))))
holds('spawn, without arguments', ours('spawn'), fc.tuple(file, withStdio))
holds('execFile', ours('execFile'), fc.tuple(file, programArguments, fc.oneof(withEncoding, fc.constant(undefined))))
holds(
  'fork',
  ours('fork'),
  fc.tuple(fc.oneof(fc.constant('/nowhere/module.js'), paths, noText), programArguments, withChannel),
)
holds(
  'kill',
  () => async (signal) => {
    const child = set.spawn('sleep', ['10'], { stdio: 'ignore' })
    const end = endOf(child)
    try {
      child.kill(signal as never)
    } finally {
      child.kill('SIGKILL')
      await end
    }
  },
  fc.tuple(fc.oneof(fc.constantFrom('SIGTERM', 'sigint', 0, 9, 64), anything)),
  30,
)

// --- everything again with a closed set

test('every method of a closed set', async () => {
  const methods = Object.getOwnPropertyNames(NamespaceSet.prototype).filter(
    (name) => !['constructor', 'kinds', 'flags', 'closed', 'enter'].includes(name),
  ) as (keyof NamespaceSet)[]
  expect(methods.length).toBeGreaterThan(15)
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...methods), fc.array(noText, { maxLength: 3 }), (method, args) =>
      outcomeOf(() => (closed[method] as Call)(...args)),
    ),
    { numRuns: 500 },
  )
})
