/** `set.do(fn)`: a function runs inside, on the calling thread, and the thread returns. */
import { spawnSync } from 'node:child_process'
import { readFileSync, readlinkSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { hostname } from 'node:os'
import vm from 'node:vm'
import { type NamespaceKind, NamespaceSet } from 'nsset'
import { describe, expect, test } from 'vitest'
import { resources } from '../setup/guards/resources.ts'
import { ENTERABLE, setPlace, threadPlace } from '../setup/guards/thread-place.ts'
import { traceSetns } from '../setup/oracles/strace.ts'
import { AS_ROOT_INSIDE } from '../setup/programs/plain-node.ts'
import { asOrdinaryUser, asRoot, isRoot } from '../setup/sets/privilege.ts'

const REASON = "an ordinary user's thread may not enter its own namespaces (setns(2))"

/** Every combination of one kind or more. */
const CHOICES: NamespaceKind[][] = Array.from({ length: 15 }, (_, choice) =>
  ENTERABLE.filter((_, bit) => ((choice + 1) & (1 << bit)) !== 0),
)

describe('enters and returns', () => {
  for (const kinds of CHOICES) {
    asRoot(`over ${kinds.join(' + ')}`, REASON, () => {
      const home = threadPlace()
      using set = NamespaceSet.unshareSync(kinds)
      const inside = set.do(() => threadPlace())
      expect(inside).toEqual({ ...home, ...setPlace(set) })
      expect(inside).not.toEqual(home)
      expect(threadPlace()).toEqual(home)
    })
  }

  asRoot('and is really inside', REASON, () => {
    using set = NamespaceSet.unshareSync('uts', { hostname: 'inside' })
    const outside = hostname()
    expect(set.do(hostname)).toBe('inside')
    expect(hostname()).toBe(outside)
  })

  asRoot('with { kinds }, only these kinds are entered', REASON, () => {
    const home = threadPlace()
    using set = NamespaceSet.unshareSync(['net', 'uts', 'ipc', 'mnt'])
    const inside = set.do(() => threadPlace(), { kinds: ['net', 'ipc'] })
    expect(inside).toEqual({ ...home, ...setPlace(set, ['net', 'ipc']) })
    expect(() => set.do(() => 0, { kinds: 'cgroup' })).toThrow(
      expect.objectContaining({ code: 'ERR_NSSET_NOT_IN_SET' }),
    )
  })

  asRoot('10 000 times, leaving nothing open', REASON, () => {
    using set = NamespaceSet.unshareSync([...ENTERABLE])
    const before = resources()
    for (let turn = 0; turn < 10_000; turn++) set.do(() => turn)
    expect(resources()).toEqual(before)
  })
})

describe('passes on', () => {
  asRoot('the return value', REASON, () => {
    using set = NamespaceSet.unshareSync('net')
    const object = { some: 'object' }
    expect(set.do(() => object)).toBe(object)
    for (const value of [42, 'text', undefined, null, Number.NaN, 7n, Symbol.iterator, { then: 'is no function' }]) {
      expect(set.do(() => value)).toBe(value)
    }
  })

  const thrown = [new Error('mine'), 42, undefined, null, 'text', Object.freeze({ some: 'object' }), Symbol.iterator]
  for (const value of thrown) {
    asRoot(`the thrown value: ${String(value)}`, REASON, () => {
      const home = threadPlace()
      using set = NamespaceSet.unshareSync([...ENTERABLE])
      const before = value instanceof Error ? value.stack : undefined
      let caught: unknown = 'nothing was thrown'
      try {
        set.do(() => {
          throw value
        })
      } catch (error) {
        caught = error
      }
      expect(caught).toBe(value)
      if (value instanceof Error) expect(value.stack).toBe(before)
      expect(threadPlace()).toEqual(home)
    })
  }
})

describe('nested calls', () => {
  asRoot('return to each level, to depth 20 over different sets', REASON, () => {
    const home = threadPlace()
    const sets = CHOICES.concat(CHOICES.slice(0, 5)).map((kinds) => NamespaceSet.unshareSync(kinds))
    const descend = (depth: number): number => {
      const set = sets[depth]
      if (set === undefined) return depth
      const enclosing = threadPlace()
      const deepest = set.do(() => {
        expect(threadPlace()).toEqual({ ...enclosing, ...setPlace(set) })
        return descend(depth + 1)
      })
      expect(threadPlace()).toEqual(enclosing)
      return deepest
    }
    expect(descend(0)).toBe(20)
    expect(threadPlace()).toEqual(home)
    for (const set of sets) set.close()
  })

  asRoot('pass an error through every level', REASON, () => {
    using outer = NamespaceSet.unshareSync(['net', 'uts'])
    using inner = NamespaceSet.unshareSync(['net', 'ipc'])
    const failure = new Error('mine')
    const fail = () => {
      throw failure
    }
    const home = threadPlace()
    outer.do(() => {
      expect(() => inner.do(fail)).toThrow(failure)
      expect(threadPlace()).toEqual({ ...home, ...setPlace(outer) })
    })
    expect(() => outer.do(() => inner.do(fail))).toThrow(failure)
    expect(threadPlace()).toEqual(home)
  })

  asRoot('may close a set while the thread is inside', REASON, () => {
    const home = threadPlace()
    const outer = NamespaceSet.unshareSync(['net', 'uts'])
    using inner = NamespaceSet.unshareSync(['net', 'ipc'])
    const place = { ...home, ...setPlace(outer) }
    outer.do(() => {
      outer.close()
      expect(threadPlace()).toEqual(place)
      inner.do(() => expect(threadPlace()).toEqual({ ...place, ...setPlace(inner) }))
      expect(threadPlace()).toEqual(place)
      expect(() => outer.do(() => 0)).toThrow(expect.objectContaining({ code: 'ERR_NSSET_CLOSED' }))
    })
    expect(threadPlace()).toEqual(home)
  })

  asRoot('see the namespaces inside with current()', REASON, () => {
    using set = NamespaceSet.unshareSync([...ENTERABLE])
    set.do(() => {
      using here = NamespaceSet.current([...ENTERABLE])
      expect(here.equals(set)).toBe(true)
      using deeper = NamespaceSet.unshareSync('uts')
      expect(deeper.do(() => threadPlace(['net', 'uts']))).toEqual({ net: set.id('net'), uts: deeper.id() })
    })
  })
})

describe('resources created inside stay inside:', () => {
  asRoot('a socket', REASON, async () => {
    using set = NamespaceSet.unshareSync('net')
    const server = createServer()
    set.do(() => server.listen(0))
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as AddressInfo
    const listeners = (...prefix: string[]) => {
      const [file = '', ...args] = [...prefix, 'ss', '--no-header', '-ltn']
      return spawnSync(file, args, { encoding: 'utf8', timeout: 10_000 }).stdout
    }
    expect(listeners('nsenter', `--net=${set.path()}`)).toMatch(new RegExp(`:${port}\\b`))
    expect(listeners()).not.toMatch(new RegExp(`:${port}\\b`))
    await new Promise((resolve) => server.close(resolve))
  })

  asRoot('a child process', REASON, () => {
    using set = NamespaceSet.unshareSync([...ENTERABLE])
    const links = ENTERABLE.map((kind) => `/proc/self/ns/${kind}`)
    const child = set.do(() => spawnSync('readlink', links, { encoding: 'utf8', timeout: 10_000 }))
    expect(child.stdout.trim().split('\n')).toEqual(ENTERABLE.map((kind) => set.id(kind)))
  })

  asRoot('an open file of /proc', REASON, () => {
    using set = NamespaceSet.unshareSync('uts', { hostname: 'inside' })
    expect(set.do(() => readFileSync('/proc/sys/kernel/hostname', 'utf8'))).toBe('inside\n')
  })
})

describe('throws for a function that continues later', () => {
  const later = {
    'an asynchronous function': async () => threadPlace(),
    'a promise': () => new Promise(() => undefined),
    'a promise that rejects': () => Promise.reject(new Error('unused')),
    'an object with then()': () => ({ then: (resolve: (value: number) => void) => resolve(1) }),
    'a function with then()': () => Object.assign(() => 0, { then: () => undefined }),
    'a rejecting promise of another realm': () => vm.runInNewContext('Promise.reject(new Error("of another realm"))'),
  }
  for (const [name, fn] of Object.entries(later)) {
    asRoot(name, REASON, async () => {
      const home = threadPlace()
      using set = NamespaceSet.unshareSync([...ENTERABLE])
      const unhandled: unknown[] = []
      const listen = (reason: unknown) => void unhandled.push(reason)
      const others = process.listeners('unhandledRejection')
      process.removeAllListeners('unhandledRejection').on('unhandledRejection', listen)
      try {
        const untyped = set.do.bind(set) as (fn: () => unknown) => unknown
        expect(() => untyped(fn)).toThrow(expect.objectContaining({ code: 'ERR_NSSET_ASYNC_CALLBACK' }))
        expect(threadPlace()).toEqual(home)
        await new Promise((resolve) => setTimeout(resolve, 10))
      } finally {
        process.removeListener('unhandledRejection', listen)
        for (const other of others) process.on('unhandledRejection', other)
      }
      expect(unhandled).toEqual([])
    })
  }
})

describe('makes as few system calls as possible', () => {
  test('none for the thread’s own kinds', async () => {
    const { calls, code } = await traceSetns(`
      import { NamespaceSet } from 'nsset'
      const here = NamespaceSet.current()
      here.do(() => here.do(() => 0))`)
    expect(code).toBe(0)
    expect(calls).toEqual([])
  })

  test('one pair for each different kind, and none for a level that changes nothing', async () => {
    const program = `
      import { NamespaceSet } from 'nsset'
      const uts = NamespaceSet.unshareSync('uts')
      const both = uts.unshareSync('net')
      uts.do(() => uts.do(() => both.do(() => uts.do(() => 0))))`
    const { calls, code, stderr } = await traceSetns(program, { prefix: AS_ROOT_INSIDE })
    expect(code, stderr).toBe(0)
    const node = calls.at(-1)?.tid
    const flags = calls.filter((call) => call.tid === node).map((call) => call.flag)
    expect(flags).toEqual(['CLONE_NEWUTS', 'CLONE_NEWNET', 'CLONE_NEWNET', 'CLONE_NEWUTS'])
  })
})

describe('returns although JavaScript is terminated inside', () => {
  for (const end of ['worker.terminate()', 'process.exit()']) {
    test(`by ${end} in a Worker`, async () => {
      const program = `
        import { Worker } from 'node:worker_threads'
        const worker = new Worker(\`
          import { parentPort } from 'node:worker_threads'
          import { NamespaceSet } from 'nsset'
          // By the helper, because of the time namespace: no setns of the home thread's.
          NamespaceSet.unshareSync(['net', 'time', 'uts']).dup(['net', 'uts']).do(() => {
            parentPort.postMessage('inside')
            ${end === 'process.exit()' ? 'process.exit()' : 'for (;;);'}
          })\`, { eval: true })
        worker.on('message', () => worker.terminate())`
      const { calls, code, stderr } = await traceSetns(program, { prefix: AS_ROOT_INSIDE })
      expect(code, stderr).toBe(0)
      expect(new Set(calls.map((call) => call.tid)).size).toBe(1)
      expect(calls.filter((call) => call.isFailed)).toEqual([])
      expect(calls.map((call) => call.flag)).toEqual(['CLONE_NEWNET', 'CLONE_NEWUTS', 'CLONE_NEWNET', 'CLONE_NEWUTS'])
    })
  }
})

asRoot('a vm timeout inside restores the thread', REASON, () => {
  const home = threadPlace()
  using set = NamespaceSet.unshareSync([...ENTERABLE])
  const state = { isInside: false }
  const loop = 'set.do(() => { state.isInside = true; for (;;); })'
  const run = () => vm.runInNewContext(loop, { set, state }, { timeout: 50 })
  expect(run).toThrow(expect.objectContaining({ code: 'ERR_SCRIPT_EXECUTION_TIMEOUT' }))
  expect(state.isInside).toBe(true)
  expect(threadPlace()).toEqual(home)
  expect(set.do(() => threadPlace())).toEqual({ ...home, ...setPlace(set) })
})

describe('throws for a kind that a thread of Node.js cannot enter and leave:', () => {
  const INSTEAD: [NamespaceKind, RegExp][] = [
    ['user', /spawn, execFile or fork.*kinds/],
    ['time', /spawn, execFile or fork.*kinds/],
    ['pid', /spawn, execFile or fork.*kinds/],
    ['mnt', /enter or worker, spawn, execFile or fork.*kinds/],
  ]
  for (const [kind, instead] of INSTEAD) {
    test(`${kind}, and names the alternative`, () => {
      const home = threadPlace()
      const kinds = [...new Set<NamespaceKind>([kind, 'net', ...(isRoot ? [] : (['user'] as const))])]
      using set = NamespaceSet.unshareSync(kinds, kinds.includes('user') ? { mapUser: 'root' } : {})
      let isCalled = false
      const refused = { code: 'ERR_NSSET_NOT_ENTERABLE', kind, message: expect.stringMatching(instead) }
      expect(() => set.do(() => (isCalled = true), { kinds: [kind, ...(isRoot ? (['net'] as const) : [])] })).toThrow(
        expect.objectContaining(refused),
      )
      expect(isCalled).toBe(false)
      expect(threadPlace()).toEqual(home)
    })
  }

  test('but not for the thread’s own kinds', () => {
    using here = NamespaceSet.current()
    expect(here.kinds).toContain('user')
    expect(here.do(() => threadPlace())).toEqual(threadPlace())
  })

  asRoot('but enters other kinds beside its own', REASON, () => {
    using here = NamespaceSet.current(['user', 'pid', 'mnt', 'time'])
    using set = here.unshareSync('net')
    expect(set.kinds).toEqual(['mnt', 'net', 'pid', 'time', 'user'])
    expect(set.do(() => readlinkSync('/proc/thread-self/ns/net'))).toBe(set.id('net'))
  })

  for (const kind of ENTERABLE) {
    asOrdinaryUser(`an ordinary user's ${kind}, with the reason and the alternative`, () => {
      const home = threadPlace()
      using set = NamespaceSet.unshareSync(['user', kind], { mapUser: 'root' })
      let isCalled = false
      const why = expect.stringMatching(/CAP_SYS_ADMIN.*ordinary user.*spawn, execFile, fork/s)
      expect(() => set.do(() => (isCalled = true), { kinds: kind })).toThrow(
        expect.objectContaining({ code: 'ERR_NSSET_NOT_ENTERABLE', kind, message: why }),
      )
      expect(isCalled).toBe(false)
      expect(threadPlace()).toEqual(home)
    })
  }
})
