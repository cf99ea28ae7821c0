/** `NamespacePool`: sets created in advance. */
import { mkdirSync } from 'node:fs'
import { setTimeout as pass } from 'node:timers/promises'
import fc from 'fast-check'
import { type Kinds, type NamespaceKind, NamespacePool, type NamespacePoolOptions, NamespaceSet } from 'nsset'
import { describe, expect, test } from 'vitest'
import { growthSince } from '../setup/guards/growth.ts'
import { eventually, resources } from '../setup/guards/resources.ts'
import { askPlainNode } from '../setup/programs/plain-node.ts'
import { expectFailure, failureOf, range, refuses, type, untyped, value } from '../setup/sets/failure.ts'
import { isRoot } from '../setup/sets/privilege.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'

/** What the caller may create: an ordinary user's namespaces are owned by its own user namespace. */
const allowed = (kind: NamespaceKind): NamespaceKind[] => (isRoot ? [kind] : ['user', kind])
const MAPS = isRoot ? {} : ({ mapUser: 'root' } as const)
const CLOSED = ['TypeError', 'ERR_NSSET_CLOSED'] as const

function makePool(options: Partial<NamespacePoolOptions> = {}, kinds: Kinds = allowed('uts')): NamespacePool {
  return new NamespacePool(kinds, { size: 2, ...options, unshare: { ...MAPS, ...options.unshare } })
}

const toBeReady = (pool: NamespacePool, count: number) =>
  eventually(
    () => pool.length,
    (length) => length === count,
  )

describe('get()', () => {
  test('returns ready sets, each once, and replaces them', async () => {
    await using pool = makePool({ size: 3, unshare: { loopback: true } }, allowed('net'))
    expect(await toBeReady(pool, 3)).toBe(3)
    using first = await pool.get()
    using second = await pool.get()
    expect(pool.length).toBe(1)
    expect(first.kinds).toEqual(allowed('net').toSorted())
    expect(first.id('net')).not.toBe(second.id('net'))
    expect((await first.execFile('ip', ['-brief', 'addr', 'show', 'lo'])).stdout).toContain('127.0.0.1')
    expect(await toBeReady(pool, 3)).toBe(3)
  })

  test('creates one when none is ready', async () => {
    await using pool = makePool({ size: 1 })
    const before = resources()
    const warnings: Error[] = []
    const listen = (warning: Error) => warnings.push(warning)
    process.on('warning', listen)
    const sets = await Promise.all(Array.from({ length: 30 }, () => pool.get()))
    process.off('warning', listen)
    expect(warnings).toEqual([])
    expect(new Set(sets.map((set) => set.id('uts'))).size).toBe(30)
    for (const set of sets) set.close()
    await pool.close()
    expect(await growthSince(before)).toEqual({})
  })

  test('stops waiting when its signal is aborted; the set created for it stays', async () => {
    let finish = () => {}
    const finished = new Promise<void>((resolve) => {
      finish = resolve
    })
    await using pool = makePool({ size: 1, afterCreate: () => finished })
    const controller = new AbortController()
    const waiting = pool.get({ signal: controller.signal })
    const other = pool.get()
    controller.abort('enough')
    await expect(waiting).rejects.toBe('enough')
    await expect(pool.get({ signal: AbortSignal.abort('before') })).rejects.toBe('before')
    finish()
    ;(await other).close()
    expect(await toBeReady(pool, 1)).toBe(1)
  })

  test('skips a set that was closed in the pool', async () => {
    await using pool = makePool({ size: 1 })
    const stale = await pool.get()
    expect(await toBeReady(pool, 1)).toBe(1)
    using fresh = await pool.get()
    pool.put(stale)
    stale.close()
    using next = await pool.get()
    expect([next.closed, next.equals(fresh)]).toEqual([false, false])
  })
})

describe('afterCreate', () => {
  test('is awaited before a set is available', async () => {
    const prepared = new Set<string>()
    await using pool = makePool({
      afterCreate: async (set) => {
        await set.execFile('true')
        prepared.add(set.id('uts'))
      },
    })
    for (let count = 0; count < 4; count += 1) {
      using set = await pool.get()
      expect(prepared).toContain(set.id('uts'))
    }
  })

  for (const [how, fail] of [
    ['throws', (error: Error) => void thrown(error)],
    ['rejects', (error: Error) => Promise.reject(error)],
  ] as const) {
    test(`when it ${how}, its set is closed, and get rejects with the same error`, async () => {
      const made: NamespaceSet[] = []
      const error = new Error('no')
      await using pool = makePool({
        afterCreate: (set) => {
          made.push(set)
          return fail(error)
        },
      })
      await expect(pool.get()).rejects.toBe(error)
      await pool.close()
      expect(made.length).toBeGreaterThan(0)
      expect(made.every((set) => set.closed)).toBe(true)
    })
  }

  test('may not close the set', async () => {
    await using pool = makePool({ afterCreate: (set) => set.close() })
    expectFailure(await failureOf(() => pool.get()), [...CLOSED, 'afterCreate'])
  })

  test('is aborted when the pool is closed, and not waited for', async () => {
    let given: { set: NamespaceSet; signal: AbortSignal } | undefined
    const pool = makePool({
      size: 1,
      afterCreate: (set, { signal }) => {
        given = { set, signal }
        return new Promise(() => {})
      },
    })
    await eventually(
      () => given,
      (some) => some !== undefined,
    )
    expect([given?.set.closed, given?.signal.aborted]).toEqual([false, false])
    await pool.close()
    expect([given?.set.closed, given?.signal.aborted]).toEqual([true, true])
  })
})

function thrown(error: Error): never {
  throw error
}

describe('a failure to create sets', () => {
  test('rejects the next get with the cause, and recovers', async () => {
    using directory = temporaryDirectory()
    const source = directory.file('comes-later')
    await using pool = makePool(
      { size: 1, unshare: { mounts: [{ type: 'bind', source, target: '/mnt' }] } },
      isRoot ? ['mnt'] : ['user', 'mnt'],
    )
    const failure = { name: 'NamespaceError', code: 'ENOENT', path: source }
    await expect(pool.get()).rejects.toMatchObject(failure)
    await expect(pool.get()).rejects.toMatchObject(failure)
    mkdirSync(source)
    expect(await toBeReady(pool, 1)).toBe(1)
    using set = await pool.get()
    expect(set.closed).toBe(false)
  })

  test('in the background is reported once, to the next get', async () => {
    let isBroken = true
    const attempts: number[] = []
    const error = new Error('broken')
    await using pool = makePool({
      size: 1,
      afterCreate: () => {
        attempts.push(performance.now())
        if (isBroken) throw error
      },
    })
    await eventually(
      () => attempts.length,
      (count) => count === 1,
    )
    // The failure is the pool's own; it gets here without an unhandled rejection.
    await pass(20)
    await expect(pool.get()).rejects.toBe(error)
    isBroken = false
    using set = await pool.get()
    expect(set.closed).toBe(false)
  })

  test('backs off instead of spinning', async () => {
    const attempts: number[] = []
    const pool = makePool({
      size: 8,
      afterCreate: () => {
        attempts.push(performance.now())
        throw new Error('always')
      },
    })
    await pass(1_200)
    await pool.close()
    // Two at the same time, then after 0.2 s (both have failed), 0.4 s more; timers are not exact.
    expect(attempts.length).toBeGreaterThanOrEqual(3)
    expect(attempts.length).toBeLessThanOrEqual(5)
    const count = attempts.length
    await pass(100)
    expect(attempts.length).toBe(count)
  })

  test('is not retried more often by repeated calls of get', async () => {
    let attempts = 0
    await using pool = makePool({
      size: 1,
      afterCreate: () => {
        attempts += 1
        throw new Error('always')
      },
    })
    const until = performance.now() + 600
    let gets = 0
    for (; performance.now() < until; gets += 1) await failureOf(() => pool.get())
    expect(gets).toBeGreaterThanOrEqual(4)
    expect(attempts).toBeLessThanOrEqual(9)
  })

  test('rejects all waiting calls', async () => {
    await using pool = makePool({ size: 1, afterCreate: () => Promise.reject(new Error('always')) })
    const failures = await Promise.all(Array.from({ length: 5 }, () => failureOf(() => pool.get())))
    expect(failures.map(({ message }) => message)).toEqual(Array(5).fill('always'))
    const later = await Promise.all(Array.from({ length: 5 }, () => failureOf(() => pool.get())))
    expect(later.map(({ message }) => message)).toEqual(Array(5).fill('always'))
  })

  test('does not delay get once creation works again', async () => {
    let isBroken = true
    await using pool = makePool({
      size: 1,
      afterCreate: () => {
        if (isBroken) throw new Error('broken')
      },
    })
    // Now the pool would wait for 3 s.
    for (let count = 0; count < 6; count += 1) await failureOf(() => pool.get())
    isBroken = false
    const fixed = performance.now()
    ;(await pool.get()).close()
    expect(await toBeReady(pool, 1)).toBe(1)
    expect(performance.now() - fixed).toBeLessThan(1_500)
  })

  test('rejects one get for each failure', async () => {
    let count = 0
    await using pool = makePool({
      size: 1,
      afterCreate: () => {
        count += 1
        if (count % 2 === 0) throw new Error('every other')
      },
    })
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => pool.get()))
    const made = outcomes.filter((outcome) => outcome.status === 'fulfilled')
    for (const { value: set } of made) set.close()
    expect(made.length).toBe(5)
  })
})

describe('put()', () => {
  test('returns a set unchanged', async () => {
    await using pool = makePool({ size: 1 })
    const set = await pool.get()
    const id = set.id('uts')
    const ended = await Promise.race([toBeReady(pool, 1), pass(5_000)])
    expect(ended).toBe(1)
    using other = await pool.get()
    pool.put(set)
    using again = await pool.get()
    expect(again).toBe(set)
    expect([again.id('uts'), other.id('uts') === id]).toEqual([id, false])
  })

  test('passes it to the longest waiting get', async () => {
    await using pool = makePool({ size: 1, afterCreate: () => pass(200) })
    const set = NamespaceSet.unshareSync(allowed('uts'), MAPS)
    const [first, second] = [pool.get(), pool.get()]
    pool.put(set)
    expect(await first).toBe(set)
    set.close()
    ;(await second).close()
  })

  test('closes it when the pool is full, or closed', async () => {
    await using pool = makePool({ size: 1 })
    const [one, two] = [await pool.get(), await pool.get()]
    await toBeReady(pool, 1)
    pool.put(one)
    expect([one.closed, pool.length]).toEqual([true, 1])
    await pool.close()
    pool.put(two)
    expect([two.closed, pool.length]).toEqual([true, 0])
    pool.put(one)
  })

  test('rejects a set of other kinds, a closed one, and one in the pool: it stays the caller’s', async () => {
    await using pool = makePool({ size: 2 })
    using other = NamespaceSet.current('uts').dup()
    using wrong = NamespaceSet.current('net')
    const set = await pool.get()
    pool.put(set)
    expectFailure(await failureOf(() => pool.put(set)), value('set', 'in the pool already'))
    expectFailure(await failureOf(() => pool.put(wrong)), value('set', 'uts', 'net:['))
    expect(wrong.closed).toBe(false)
    const closed = isRoot ? other : NamespaceSet.unshareSync(allowed('uts'), MAPS)
    closed.close()
    expectFailure(await failureOf(() => pool.put(closed)), [...CLOSED, 'pool'])
  })
})

describe('close()', () => {
  test('closes ready sets, rejects waiting calls, and settles once', async () => {
    const before = resources()
    const pool = makePool({ size: 3, afterCreate: () => pass(50) })
    expect(await toBeReady(pool, 3)).toBe(3)
    const taken = [await pool.get(), await pool.get(), await pool.get()]
    const waiting = pool.get()
    const caught = failureOf(() => waiting)
    const late = NamespaceSet.unshareSync(allowed('uts'), MAPS)
    const closing = pool.close()
    pool.put(late)
    expect(late.closed).toBe(true)
    expect(pool.close()).toBe(closing)
    expect([pool.closed, pool.length, String(pool)]).toEqual([
      true,
      0,
      `NamespacePool(${pool.kinds.join(' ')}, closed)`,
    ])
    await closing
    expectFailure(await caught, [...CLOSED, 'pool'])
    expectFailure(await failureOf(() => pool.get()), [...CLOSED, 'pool'])
    for (const set of taken) {
      expect(set.closed).toBe(false)
      set.close()
    }
    expect(await growthSince(before)).toEqual({})
  })

  test('closes sets that were put back', async () => {
    const pool = makePool()
    const set = await pool.get()
    pool.put(set)
    expect(set.closed).toBe(false)
    const closing = pool.close()
    expect(set.closed).toBe(true)
    await closing
  })

  test('settles when pending creations have ended', async () => {
    const before = resources()
    let complete = 0
    for (let count = 0; count < 20; count += 1) {
      const pool = makePool({ size: 8 }, [...allowed('net'), 'mnt'])
      const caught = [1, 2, 3, 4].map(() => failureOf(() => pool.get()))
      await pool.close()
      if (resources().descriptors <= before.descriptors) complete += 1
      for (const failure of await Promise.all(caught)) expectFailure(failure, [...CLOSED])
      expect(await growthSince(before)).toEqual({})
    }
    // A helper that was killed is left to the reaper after 200 ms. On a busy machine the kernel can take longer.
    expect(complete).toBeGreaterThan(0)
  })

  test('leaks nothing at any moment', async () => {
    const before = resources()
    for (let count = 0; count < 40; count += 1) {
      const pool = makePool({ size: 4, afterCreate: () => pass(count % 3) }, [...allowed('net'), 'pid'])
      const wanted = Array.from({ length: count % 5 }, () => pool.get())
      const outcomes = Promise.allSettled(wanted)
      await pass(count / 4)
      await pool.close()
      for (const outcome of await outcomes) {
        if (outcome.status === 'fulfilled') outcome.value.close()
        else expectFailure(outcome.reason, [...CLOSED])
      }
    }
    expect(await growthSince(before)).toEqual({})
  })

  test('is triggered by its signal, with the signal’s reason', async () => {
    const controller = new AbortController()
    const pool = makePool({ signal: controller.signal, afterCreate: () => pass(50) })
    const caught = failureOf(() => pool.get())
    const reason = new Error('shut down')
    controller.abort(reason)
    expect(await caught).toBe(reason)
    expect(await failureOf(() => pool.get())).toBe(reason)
    expect(pool.closed).toBe(true)
    await pool.close()
    expect(() => makePool({ signal: AbortSignal.abort(reason) })).toThrow(reason)
  })

  test('is called at the end of a block', async () => {
    const before = resources()
    let pool: NamespacePool
    {
      await using held = makePool()
      pool = held
      await toBeReady(held, 2)
    }
    expect(pool.closed).toBe(true)
    expect(await growthSince(before)).toEqual({})
  })
})

describe('the event loop', () => {
  const program = (body: string) => `
    import { NamespacePool } from 'nsset'
    const pool = new NamespacePool(${JSON.stringify(allowed('uts'))}, { size: 500, unshare: ${JSON.stringify(MAPS)} })
    ${body}`

  test('is not kept running by a pool', async () => {
    const start = performance.now()
    const length = await askPlainNode<number>(program(`process.on('exit', () => console.log(pool.length))`))
    // It has not waited until the pool was full, either.
    expect(length).toBeLessThan(100)
    expect(performance.now() - start).toBeLessThan(10_000)
  })

  test('is kept running by a waiting get, and the pool refills while other work keeps it running', async () => {
    const [id, length] = await askPlainNode<[string, number]>(
      program(`
        const set = await pool.get()
        const wait = new (await import('node:worker_threads')).Worker('setTimeout(() => {}, 300)', { eval: true })
        wait.on('exit', () => console.log(JSON.stringify([set.id('uts'), pool.length])))`),
    )
    expect(id).toMatch(/^uts:/)
    expect(length).toBeGreaterThan(5)
  })
})

describe('random calls', () => {
  interface Model {
    held: NamespaceSet[]
    isClosed: boolean
  }
  type Command = fc.AsyncCommand<Model, NamespacePool>
  const SIZE = 3

  const invariants = (pool: NamespacePool, model: Model) => {
    expect(pool.length).toBeLessThanOrEqual(model.isClosed ? 0 : SIZE)
    expect(model.held.map((set) => set.closed)).not.toContain(true)
    expect(new Set(model.held).size).toBe(model.held.length)
    expect(pool.closed).toBe(model.isClosed)
  }
  const command = (name: string, run: (model: Model, pool: NamespacePool) => Promise<void>): Command => ({
    check: () => true,
    run: async (model, pool) => {
      await run(model, pool)
      invariants(pool, model)
    },
    toString: () => name,
  })

  const get = (count: number) =>
    command(`get ${count}`, async (model, pool) => {
      const outcomes = await Promise.allSettled(Array.from({ length: count }, () => pool.get()))
      for (const outcome of outcomes) {
        expect(outcome.status).toBe(model.isClosed ? 'rejected' : 'fulfilled')
        if (outcome.status === 'fulfilled') model.held.push(outcome.value)
      }
    })
  const impatientGet = (patience: number) =>
    command(`get, aborted after ${patience} ms`, async (model, pool) => {
      const got = await pool.get({ signal: AbortSignal.timeout(patience) }).catch(() => undefined)
      if (got !== undefined) model.held.push(got)
    })
  const put = command('put', async (model, pool) => {
    const [set] = model.held.splice(0, 1)
    if (set !== undefined) pool.put(set)
  })
  const closeSet = command('close a set', async (model) => model.held.shift()?.close())
  const wait = (time: number) => command(`wait ${time} ms`, () => pass(time))
  const close = command('close the pool', async (model, pool) => {
    model.isClosed = true
    await pool.close()
  })

  test('keep the invariants, and leave nothing open', async () => {
    const before = resources()
    const commands = [
      fc.integer({ min: 1, max: 6 }).map(get),
      fc.integer({ min: 0, max: 3 }).map(impatientGet),
      fc.constant(put),
      fc.constant(put),
      fc.constant(closeSet),
      fc.integer({ min: 0, max: 5 }).map(wait),
      fc.constant(close),
    ]
    await fc.assert(
      fc.asyncProperty(fc.commands(commands, { size: '+1' }), fc.boolean(), async (run, isSlow) => {
        const pool = makePool({ size: SIZE, ...(isSlow && { afterCreate: () => pass(1) }) })
        const model: Model = { held: [], isClosed: false }
        try {
          await fc.asyncModelRun(() => ({ model, real: pool }), run)
        } finally {
          await pool.close()
          for (const set of model.held) set.close()
        }
      }),
      { numRuns: 60 },
    )
    expect(await growthSince(before)).toEqual({})
  })
})

describe('invalid arguments', () => {
  const pool = makePool({ size: 1 })
  const make = (kinds: unknown, options?: unknown) => () => new NamespacePool(kinds as Kinds, untyped(options))
  refuses([
    ['no kinds', make(undefined, { size: 1 }), type('kinds')],
    ['an unknown kind', make('network', { size: 1 }), value('kinds', 'network')],
    ['no options', make('uts'), value('options.size', 'is required')],
    ['invalid options', make('uts', 5), type('options')],
    ['a size that is not a number', make('uts', { size: '5' }), type('options.size')],
    ['a size of 0', make('uts', { size: 0 }), range('options.size')],
    ['a fractional size', make('uts', { size: 1.5 }), range('options.size')],
    ['an afterCreate that is not a function', make('uts', { size: 1, afterCreate: 5 }), type('options.afterCreate')],
    ['an invalid signal', make('uts', { size: 1, signal: {} }), type('options.signal')],
    ['invalid unshare options', make('uts', { size: 1, unshare: 5 }), type('options.unshare')],
    ['an invalid unshare option', make('uts', { size: 1, unshare: { hostname: 5 } }), type('hostname')],
    [
      'a signal for unshare',
      make('uts', { size: 1, unshare: { signal: new AbortController().signal } }),
      value('options.unshare.signal', 'options.signal'),
    ],
    ['get with invalid options', () => pool.get(untyped(5)), type('options')],
    ['get with an invalid signal', () => pool.get(untyped({ signal: 5 })), type('options.signal')],
    ['put of another object', () => pool.put(untyped({})), type('set', 'NamespaceSet')],
    ['put of undefined', () => pool.put(untyped(undefined)), type('set')],
  ])
  test('leave nothing open', async () => {
    await pool.close()
    const before = resources()
    for (let count = 0; count < 100; count += 1) await failureOf(make('uts', { size: 1, unshare: { hostname: 5 } }))
    expect(await growthSince(before)).toEqual({})
  })
})

test('a pool without close() is reported: its sets are closed by the garbage collector, with a warning', async () => {
  const seen = await askPlainNode<{ warning: string; before: number; after: number }>(
    `import { readdirSync } from 'node:fs'
     import { setTimeout as pass } from 'node:timers/promises'
     import { NamespacePool } from 'nsset'
     const descriptors = () => readdirSync('/proc/self/fd').length
     let warning
     process.on('warning', ({ code }) => { warning = code })
     const before = await (async () => {
       let pool = new NamespacePool(${JSON.stringify(allowed('uts'))}, { size: 4, unshare: ${JSON.stringify(MAPS)} })
       while (pool.length < 4) await pass(5)
       await pass(20)
       return descriptors()
     })()
     for (let round = 0; round < 50 && warning === undefined; round += 1) { gc(); await pass(5) }
     await pass(20)
     console.log(JSON.stringify({ warning, before, after: descriptors() }))`,
    { flags: ['--expose-gc'] },
  )
  expect(seen.warning).toBe('NSSET_DROPPED')
  expect(seen.after).toBeLessThan(seen.before)
})

describe('from', () => {
  const base = () => NamespaceSet.unshareSync('user', { mapUser: 'root' })

  test('creates the sets in a set, so that their networks can be connected', async () => {
    using user = base()
    await using pool = new NamespacePool('net', { from: user, size: 2, unshare: { loopback: true } })
    expect(pool.kinds).toEqual(['net', 'user'])
    using left = await pool.get()
    using right = await pool.get()
    for (const set of [left, right]) expect([set.kinds, set.id('user')]).toEqual([['net', 'user'], user.id('user')])
    expect(left.id('net')).not.toBe(right.id('net'))
    await left.network.links.add({ kind: 'veth', name: 'eth0', peer: { name: 'eth1', set: right } })
    expect((await right.execFile('ip', ['-brief', 'link', 'show', 'eth1'])).stdout).toContain('eth1@')
  })

  test('takes back what it has given, and nothing with other kinds', async () => {
    using user = base()
    await using pool = new NamespacePool('net', { from: user, size: 2 })
    const set = await pool.get()
    pool.put(set)
    using other = user.unshareSync('uts')
    expectFailure(await failureOf(() => pool.put(other)), value('set', 'net, user'))
  })

  test('stays open until the pool is closed, also if the set is closed before', async () => {
    const before = resources()
    const user = base()
    const pool = new NamespacePool('net', { from: user, size: 1 })
    user.close()
    using set = await pool.get()
    expect(set.closed).toBe(false)
    await pool.close()
    set.close()
    expect(await growthSince(before)).toEqual({})
  })

  test('is checked', async () => {
    using closed = base()
    closed.close()
    expectFailure(await failureOf(() => new NamespacePool('net', { from: closed, size: 1 })), [...CLOSED])
    const wrong = untyped<NamespaceSet>({ pid: 1 })
    expectFailure(await failureOf(() => new NamespacePool('net', { from: wrong, size: 1 })), type('options.from'))
  })
})
