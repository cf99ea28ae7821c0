/** Any value passed to the native binding, by any caller and on any receiver, causes an error at worst, and never a crash. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { AS_ROOT_INSIDE, runPlainNode } from '../setup/programs/plain-node.ts'
import { isRoot } from '../setup/sets/privilege.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'

interface Outcome {
  calls: number
  functions: string[]
  /** Codes of thrown errors, and how often. */
  thrown: Record<string, number>
}

const PREFIX = isRoot ? ['unshare', '--mount'] : [...AS_ROOT_INSIDE, '--mount']

/** Calls every function of the binding with odd values, and this many times at random with the seed. */
async function fuzz(seed: number, rounds: number, isWild = false): Promise<Outcome> {
  const program = `
    import { types } from 'node:util'
    import * as native from 'nsset/native'
    import { NamespaceSet } from 'nsset'
    process.chdir(process.env.WHERE)

    let state = ${seed} >>> 0
    const random = (below) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      return Math.floor((state / 2 ** 32) * below)
    }
    const pick = (list) => list[random(list.length)]

    const detached = new Uint8Array(8)
    structuredClone(detached.buffer, { transfer: [detached.buffer] })
    const { proxy: revoked, revoke } = Proxy.revocable({}, {})
    revoke()
    const throwing = () => { throw new Error('thrown inside') }
    const trap = new Proxy({}, { get: throwing, has: throwing, ownKeys: throwing, getPrototypeOf: throwing })
    const command = (changes) => ({
      file: '/bin/true', argv: ['true'], environment: [], directory: null, stdio: ['ignore', 'ignore', 'ignore'], uid: null,
      gid: null, groups: null, keepCapabilities: false, needsNetnsFiles: false, detached: false, deathSignal: null, confinement: null, ...changes,
    })
    const confined = (changes) => ({ limits: [], umask: null, nice: null, capabilities: null, noNewPrivileges: true, landlock: null,
      filter: null, ...changes })
    const options = (changes) => ({
      uidMaps: [], gidMaps: [], mapUser: null, setgroups: null, timeOffsets: null, hostname: null, loopback: false,
      propagation: null, mounts: [], root: null, ...changes,
    })
    const values = () => {
      const open = native.current(0)
      const closed = native.current(0)
      closed.close()
      const network = native.current(0).network()
      const closedNetwork = native.current(0).network()
      closedNetwork.close()
      const canceller = new native.NativeCanceller()
      const abandonment = new native.NativeAbandonment()
      const connection = new native.NativeConnection()
      const fds = native.current(0).fds(0)
      const admission = native.current(0).admit(0)
      const live = { open, closed, network, closedNetwork, canceller, abandonment, connection, fds, admission }
      return { ...live, receivers: Object.values(live), odd: [
      undefined, null, true, false, 0, -0, 1, -1, 3, 255, 65536, 1.5, NaN, Infinity, -Infinity, 2 ** 31, -(2 ** 31), 2 ** 32 - 1,
      2 ** 32, 2 ** 53, Number.MAX_VALUE, 0n, 1n, -1n, 2n ** 64n, -(2n ** 127n), 2n ** 500n, 0x40000000, 0x04000000, 0x7e020080,
      '', 'a', 'net', '\\0', 'a\\0b', '\\ud800', 'ä'.repeat(300), 'x'.repeat(70000), '../..', 'nowhere/at/all', '[', '[{}]',
      '[{"operation":"links.list"}]', '[{"operation":"links.get","link":{"Index":4294967295}}]', '[null]', '{"a":',
      '[{"operation":"links.move","link":"lo","network":18446744073709551615}]', '10.0.0.1', '::', 'fe80::1%lo', 'pipe', 'ignore',
      Symbol('odd'), Symbol.iterator, () => undefined, async () => 1, throwing, function () { return this }, class Odd {},
      [], [1], [[]], [null], ['a', -1], [[0x40000000, 'a']], new Array(1000), Array.from({ length: 500 }, () => 'pipe'), [-1, -1, -1],
      {}, Object.create(null), { length: 2 ** 32 }, { length: -1, 0: 1 }, Object.freeze({ then: 1 }), trap, revoked, new Proxy([], {}),
      { get kind() { throw 'no error' } }, Buffer.alloc(0), Buffer.from('a\\0'), Buffer.from([0xff, 0xfe]), detached,
      new ArrayBuffer(8), new SharedArrayBuffer(8), new DataView(new ArrayBuffer(1)), new Float64Array(2), new Date(NaN), new Map(),
      new WeakMap(), /x/g, new Error('odd'), globalThis, Promise.resolve(1), new AbortController().signal,
      open, closed, network, closedNetwork, canceller, fds, native.NativeSet, native.NativeSet.prototype, native,
      command({}), command({ argv: [] }), command({ argv: ['\\0'] }), command({ file: '' }), command({ stdio: [-1] }),
      command({ stdio: [2 ** 31 - 1, 'x'] }), command({ stdio: new Array(400).fill('ignore') }), command({ deathSignal: 9999 }),
      command({ environment: [detached] }), command({ groups: new Array(70000).fill(1) }), command({ directory: Buffer.from([0]) }),
      command({ confinement: confined({}) }), command({ confinement: confined({ umask: 2 ** 31, nice: -99 }) }),
      command({ confinement: confined({ limits: [{ resource: 'none' }] }) }),
      command({ confinement: confined({ limits: [{ resource: 'openFiles', soft: NaN, hard: -1 }] }) }),
      command({ confinement: confined({ capabilities: [{ number: 64, name: '' }] }) }),
      command({ confinement: confined({ filter: Buffer.alloc(7) }) }), command({ confinement: confined({ filter: Buffer.alloc(80_000) }) }),
      command({ confinement: confined({ filter: Buffer.from([6, 0, 0, 0, 0, 0, 0, 0x80])}) }),
      command({ confinement: confined({ landlock: { read: ['\\0'], scoped: false, bestEffort: false } }) }),
      command({ confinement: confined({ landlock: { write: ['/nowhere'], connectTcp: [70_000], scoped: true, bestEffort: true } }) }),
      command({ confinement: confined({ capabilities: [{ number: 63, name: 'x'.repeat(999) }] }) }),
      options({}), options({ hostname: '\\0' }), options({ hostname: 'h'.repeat(9999) }), options({ mapUser: 'nobody' }),
      options({ mounts: [{ type: 'bind', target: '' }] }), options({ timeOffsets: { monotonic: 2n ** 200n, boottime: -1n } }),
      options({ timeOffsets: { monotonic: -(2n ** 127n), boottime: 2n ** 127n - 1n } }), options({ root: '\\0' }),
      options({ uidMaps: [{ containerId: 2 ** 32 - 1, hostId: 2 ** 32 - 1, size: 2 ** 32 - 1 }] }),
      options({ mounts: [{ type: '', source: null, target: 'a', recursive: true, readOnly: true, noSuid: true, noDev: true,
        noExec: true, options: [['', '\\0'], ['lowerdir', 'x'.repeat(5000)]] }] }),
      ] }
    }
    let now = values()
    const binding = (changes) =>
      ({ address: '127.0.0.1', port: 0, reuseAddress: true, reusePort: true, ipv6Only: true, ...changes })
    /** Valid arguments, so that one odd argument gets as far as possible. */
    const right = {
      unshare: () => [pick([null, now.open]), pick([0x40000000, 0x04000000, 0x48000000]), options({}), now.canceller],
      unshareSync: () => [pick([null, now.open]), 0x04000000, options({})],
      fromPid: () => [process.pid, 0],
      fromThread: () => [process.pid, process.pid, 0],
      fromPath: () => ['/proc/self/ns/net', 0],
      fromDirectory: () => ['/proc/self/ns', 0],
      fromFd: () => [0, 0],
      bindSocket: () => [pick([0, -1, 2 ** 31 - 1]), binding({ address: pick(['', '::', '0.0.0.0', 'a'.repeat(200)]) })],
      wireguardPublicKey: () => ['x'.repeat(44)],
      openName: () => ['nowhere', 'a'],
      removeName: () => ['nowhere', 'a'],
      removeNameSync: () => ['nowhere', 'a'],
      listNames: () => ['/proc/self'],
      listNamesSync: () => ['/proc/self'],
      unmount: () => ['nowhere/at/all'],
      unmountSync: () => ['nowhere/at/all'],
      'new NativeWatch': () => [{ fd: pick([0, -1, 2 ** 31 - 1]) }, pick([true, false])],
      'NativeSet.visit': () => [0, () => now.open.visit(0, () => 1)],
      'NativeSet.spawn': () => [0, command({ uid: pick([null, 0, 2 ** 32 - 1]), directory: pick([null, '/']) })],
      'NativeSet.equals': () => [now.network === undefined ? now.closed : now.open, 0],
      'NativeSet.attachName': () => ['nowhere', 'a', true],
      'NativeSet.attachNameSync': () => ['nowhere', 'a', true],
      'NativeSet.mountOntoFiles': () => [[[0x40000000, 'nowhere/net']]],
      'NativeSet.mountOntoFilesSync': () => [[[0x40000000, 'nowhere/net']]],
      'NativeSet.mountIntoDirectory': () => ['nowhere'],
      'NativeSet.mountIntoDirectorySync': () => ['nowhere'],
      'NativeSet.readFile': () => ['/etc/hostname'],
      'NativeSet.admit': () => [0],
      'NativeSet.stat': () => [0x40000000],
      'NativeNetwork.request': () => [pick(['[]', '[{"operation":"links.list"}]', '[1]']), [now.network], now.abandonment],
      'NativeNetwork.resolve': () => [pick(['', 'localhost', '.', 'a'.repeat(300), '\\ud800']), pick([0, 4, 6, 5])],
      'NativeNetwork.configureResolver': () => ['nameserver 127.0.0.1', pick(['', '127.0.0.1 a']), pick([[], ['127.0.0.1:1'], ['::%x']])],
      'NativeNetwork.socket': () => [2, 2, 0, pick([null, 'lo', 'x'.repeat(99), ''])],
      'NativeNetwork.connectLinkLocal': () => [now.connection, { address: 'fe80::1', port: 65535, zone: 'lo' }],
      'NativeNetwork.readResolverFiles': () => [pick([null, 'a']), ['', '']],
    }
    const almostRight = (name) => {
      const args = right[name]?.() ?? []
      if (random(5) > 0 && args.length > 0) args[random(args.length)] = pick(now.odd)
      return args
    }

    const functions = []
    for (const [name, value] of Object.entries(native)) {
      if (typeof value !== 'function') continue
      functions.push([name, (receiver, args) => Reflect.apply(value, receiver, args)])
      functions.push(['new ' + name, (_, args) => Reflect.construct(value, args)])
      const { prototype } = value
      if (prototype === undefined) continue
      for (const [key, { value: method, get, set }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
        for (const [kind, fn] of [['', method], ['get ', get], ['set ', set]]) {
          if (typeof fn !== 'function' || key === 'constructor') continue
          functions.push([kind + name + '.' + key, (receiver, args) => Reflect.apply(fn, receiver, args)])
        }
      }
    }
    // These keep the process running, or break the creation of errors.
    const wild = ['hold', 'release', 'initialize', 'new hold', 'new release', 'new initialize']
    if (${isWild}) setInterval(() => undefined, 1000)
    const tame = ${isWild} ? functions : functions.filter(([name]) => !wild.includes(name))

    const thrown = {}
    const record = (error) => {
      let code
      try { code = String(error?.code ?? error?.name ?? typeof error) } catch { code = 'cannot be read' }
      thrown[code] = (thrown[code] ?? 0) + 1
    }
    process.on('uncaughtException', record)
    process.on('unhandledRejection', record)
    const pending = []
    let calls = 0
    const call = (fn, receiver, args) => {
      calls++
      try {
        const result = fn(receiver, args)
        // Each watch has a descriptor.
        if (result instanceof native.NativeWatch) result.close()
        if (types.isPromise(result)) pending.push(result.then((set) => set?.close?.(), record))
      } catch (error) {
        record(error)
      }
    }
    const receiverOf = (name) => {
      if (name.includes('NativeSet.')) return now.open
      if (name.includes('NativeNetwork.')) return now.network
      return pick(now.receivers)
    }
    const settle = async () => {
      for (const receiver of now.receivers) receiver.close?.()
      await Promise.allSettled(pending.splice(0))
      now = values()
    }
    for (const [name, fn] of tame) {
      for (const value of now.odd) {
        call(fn, value, [])
        for (let place = 0; place < 3; place++) {
          call(fn, receiverOf(name), [...Array.from({ length: place }, () => pick(now.odd)), value])
        }
      }
      await settle()
      // Reopens what was closed.
      for (let turn = 0; turn < 100; turn++) {
        call(fn, receiverOf(name), almostRight(name))
        if (now.open.closed) await settle()
      }
      await settle()
    }
    for (let round = 0; round < ${rounds}; round++) {
      const [name, fn] = pick(tame)
      const args = random(2) === 0 ? almostRight(name) : Array.from({ length: random(7) }, () => pick(now.odd))
      call(fn, random(4) === 0 ? pick(now.odd) : receiverOf(name), args)
      if (round % 50 === 0) await settle()
    }
    await Promise.allSettled(pending)
    const set = NamespaceSet.current('uts')
    if (!${isWild} && set.do(() => 'inside') !== 'inside') throw new Error('do() no longer works')
    const report = { calls, functions: functions.map(([name]) => name), thrown }
    process.stdout.write(JSON.stringify(report), () => process.exit())`
  // Some calls create directories and mounts.
  using directory = temporaryDirectory()
  const { stdout, stderr, code, signal } = await runPlainNode(program, {
    prefix: PREFIX,
    env: { WHERE: directory.path },
  })
  expect({ code, signal }, stderr).toEqual({ code: 0, signal: null })
  // It would be an error for the caller, and is a defect of ours.
  expect(stderr).not.toContain('panicked')
  return JSON.parse(stdout) as Outcome
}

test.each([1, 2, 3])(
  'every function with every odd value, and 5000 random calls: seed %i',
  async (seed) => {
    const { calls, functions, thrown } = await fuzz(seed, 5_000)
    console.log(`${calls} calls of ${functions.length} functions; thrown: ${JSON.stringify(thrown)}`)
    expect(functions).toEqual(
      expect.arrayContaining(['unshare', 'NativeSet.visit', 'get NativeSet.closed', 'new NativeSet']),
    )
    expect(calls).toBeGreaterThan(20_000)
  },
  120_000,
)

test('odd functions for creating errors, and for keeping the process', async () => {
  expect((await fuzz(4, 5_000, true)).calls).toBeGreaterThan(20_000)
}, 120_000)

test('every function of the binding catches panics', () => {
  const sources = fileURLToPath(new URL('../../crates/nsset-node/src/', import.meta.url))
  const files = readdirSync(sources, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.rs'))
  const functions = files.flatMap((file) => {
    const text = readFileSync(`${sources}${file}`, 'utf8')
    // The attribute, other attributes and comments, and the function.
    const found = text.matchAll(
      /#\[napi(?:\(([^\]]*)\))?\]\n(?:\s*(?:#\[.*|\/\/.*)\n)*\s*pub (?:const |async )?fn (\w+)/g,
    )
    return [...found].map(([, attributes = '', name]) => ({ name: `${file}: ${name}`, attributes }))
  })
  expect(functions.length).toBeGreaterThan(60)
  // A panic at load is caught in its body: the macro cannot do it.
  const bare = functions.filter(({ attributes }) => !/catch_unwind|module_exports/.test(attributes))
  expect(bare.map(({ name }) => name)).toEqual([])
})
