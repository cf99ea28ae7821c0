/** The types of results depend on the arguments. Never run: compiled by types.test.ts. */
// biome-ignore-all lint/suspicious/noExplicitAny: the tests are about any
import type { ChildProcess } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import {
  type ExecFileOptions,
  type ExecFileResult,
  type FdSet,
  type IdMap,
  type Kinds,
  type NamespaceChildProcess,
  NamespaceError,
  type NamespaceKind,
  NamespaceSet,
  type NamespaceStat,
  NS,
  type SpawnOptions,
} from 'nsset'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** `exactly<T>()(value)` compiles only if the value's type is exactly T. */
function exactly<T>(): <U>(value: U & (Same<T, U> extends true ? unknown : never)) => void {
  return () => undefined
}

declare const set: NamespaceSet
declare const anything: any

// --- sources of sets, and their properties

exactly<NamespaceSet>()(NamespaceSet.current())
exactly<Promise<NamespaceSet>>()(NamespaceSet.unshare('net'))
exactly<NamespaceSet>()(NamespaceSet.unshareSync(['user', 'net'], { mapUser: 'root' }))
exactly<NamespaceKind[]>()(set.kinds)
exactly<number>()(set.flags)
exactly<NamespaceStat>()(set.stat('net'))
exactly<string>()(set.id())
exactly<FdSet>()(set.fds())
exactly<Promise<void>>()(set.mount({ net: '/run/netns/blue' }))
exactly<void>()(set.mountSync('/run/tenant'))
for (const entry of set.fds()) exactly<[NamespaceKind, number]>()(entry)

const list: Kinds[] = ['net', ['net', 'uts'], NS.NET | NS.UTS]
NamespaceSet.current(list[0])
const tuple = ['net', 'uts'] as const
NamespaceSet.current(tuple)
const frozen: readonly IdMap[] = [{ containerId: 0, hostId: 0, size: 1 }]
NamespaceSet.unshareSync('user', { uidMaps: frozen, gidMaps: undefined, signal: undefined } as {
  uidMaps: readonly IdMap[]
})

// @ts-expect-error sets are created only by the functions above
new NamespaceSet()
// @ts-expect-error unknown kind
NamespaceSet.current('network')
// @ts-expect-error unknown kind
NamespaceSet.current(['net', 'user '])
// @ts-expect-error the kinds are required
NamespaceSet.unshareSync()
// @ts-expect-error a number is not a path
NamespaceSet.fromPath(3)
// @ts-expect-error a synchronous call cannot be aborted
NamespaceSet.unshareSync('net', { signal: AbortSignal.abort() })
// @ts-expect-error unknown option
NamespaceSet.unshareSync('uts', { hostName: 'x' })
// @ts-expect-error a mount requires a target
NamespaceSet.unshareSync('mnt', { mounts: [{ type: 'bind', source: '/mnt' }] })
// @ts-expect-error properties of a set are read-only
set.flags = 0

// --- each optional member accepts undefined, as with exactOptionalPropertyTypes

set.do(() => 1, { kinds: undefined })
set.enter({ kinds: undefined, mainThread: undefined })
set.spawn('true', [], { cwd: undefined, env: undefined, kinds: undefined, stdio: undefined })
NamespaceSet.unshareSync('net', { hostname: undefined, loopback: undefined, mounts: undefined, root: undefined })

// --- programs

exactly<NamespaceChildProcess<Writable, Readable, Readable>>()(set.spawn('true'))
exactly<NamespaceChildProcess<Writable, Readable, Readable>>()(set.spawn('true', ['x'], { cwd: '/' }))
exactly<NamespaceChildProcess<null, null, null>>()(set.spawn('true', { stdio: 'inherit' }))
exactly<NamespaceChildProcess<null, Readable, null>>()(set.spawn('true', [], { stdio: ['ignore', 'pipe', 2] }))
exactly<NamespaceChildProcess<Writable, null, Readable>>()(set.spawn('true', [], { stdio: [null, process.stdout] }))
exactly<Readable>()(set.spawn('true', [], { stdio: ['ignore', 'overlapped', 'ignore', 'pipe'] }).stdout)
declare const anyStdio: SpawnOptions
exactly<NamespaceChildProcess>()(set.spawn('true', [], anyStdio))
const asChildProcess: ChildProcess = set.spawn('true')
exactly<ChildProcess>()(asChildProcess)
exactly<NamespaceChildProcess>()(set.fork('child.js', { silent: true }))
// @ts-expect-error messages require fork
set.spawn('true', [], { stdio: ['pipe', 'pipe', 'pipe', 'ipc'] })
// @ts-expect-error an inherited descriptor is not a stream
set.spawn('true', { stdio: 'inherit' }).stdout.on('data', () => undefined)
exactly<Promise<ExecFileResult<string>>>()(set.execFile('true'))
exactly<Promise<ExecFileResult<string>>>()(set.execFile('true', ['x'], { encoding: 'latin1' }))
exactly<Promise<ExecFileResult<Buffer>>>()(set.execFile('true', [], { encoding: 'buffer' }))
exactly<Promise<ExecFileResult<Buffer>>>()(set.execFile('true', { encoding: null }))
declare const anyEncoding: ExecFileOptions
exactly<Promise<ExecFileResult<string | Buffer>>>()(set.execFile('true', anyEncoding))
const { stdout } = await set.execFile('true', undefined, { encoding: 'buffer', kinds: 'net' })
exactly<Buffer>()(stdout)

// --- errors

if (anything instanceof NamespaceError) {
  exactly<string>()(anything.code)
  exactly<NamespaceKind | undefined>()(anything.kind)
  exactly<number | undefined>()(anything.errno)
}

// --- disposal

{
  using here = NamespaceSet.current()
  using fds = here.fds()
  await using there = await NamespaceSet.unshare('net')
  exactly<NamespaceSet>()(here)
  exactly<FdSet>()(fds)
  exactly<NamespaceSet>()(there)
}
