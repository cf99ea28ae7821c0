/**
 * A hostile set costs only itself: a call in a set in which nothing answers, or in which helpers are stopped or killed,
 * blocks neither this process, nor libuv's pool, nor the networks of other sets.
 */
import { setMaxListeners } from 'node:events'
import { accessSync, constants, readdirSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { setTimeout as pass } from 'node:timers/promises'
import { action, NamespaceSet } from 'nsset'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CProgram } from '../setup/c-programs/c-program.ts'
import { compileHoldup, type Malice, startHoldup } from '../setup/c-programs/holdup.ts'
import { growthSince } from '../setup/guards/growth.ts'
import { eventually, resources } from '../setup/guards/resources.ts'
import { failureOf } from '../setup/sets/failure.ts'

let program: CProgram | undefined
beforeAll(() => {
  program = compileHoldup()
})
afterAll(() => program?.[Symbol.dispose]())

/** Why this cannot be tested here, or undefined. */
function missing(malice: Malice): string | undefined {
  if (program === undefined) return 'needs a C compiler, cc'
  if (malice !== 'files') return undefined
  try {
    accessSync('/dev/fuse', constants.R_OK | constants.W_OK)
    return undefined
  } catch {
    return 'needs read and write access to /dev/fuse'
  }
}

const rootless = () => NamespaceSet.unshare(['user', 'mnt', 'net'], { mapUser: 'root' })

interface HostileSets extends AsyncDisposable {
  sets: NamespaceSet[]
  /** How many helpers they have hit. */
  hits(): number
}

/** Creates this many sets, each with this attack. */
async function hostileSets(malice: Malice, count: number): Promise<HostileSets> {
  const sets = await Promise.all(Array.from({ length: count }, rootless))
  const holdups = await Promise.all(sets.map((set) => startHoldup(program as CProgram, set, malice)))
  for (const holdup of holdups) holdup.begin()
  return {
    sets,
    hits: () => holdups.reduce((sum, holdup) => sum + holdup.hits(), 0),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(holdups.map((holdup) => holdup[Symbol.asyncDispose]()))
      for (const set of sets) set.close()
    },
  }
}

interface Times {
  median: number
  longest: number
}

/** The milliseconds of a call, repeated until the work is done; ten times at least. */
async function timesOf(call: () => Promise<unknown>, work: Promise<unknown> = Promise.resolve()): Promise<Times> {
  const times: number[] = []
  let isDone = false
  const end = work.finally(() => {
    isDone = true
  })
  while (!isDone || times.length < 10) {
    const start = performance.now()
    await call()
    times.push(performance.now() - start)
    await pass(5)
  }
  await end
  times.sort((one, other) => one - other)
  return { median: times[times.length >> 1] ?? Number.NaN, longest: times.at(-1) ?? Number.NaN }
}

function threadsThatWait(): number {
  const threads = readdirSync('/proc/self/task').map((thread) => readFileSync(`/proc/self/task/${thread}/comm`, 'utf8'))
  return threads.filter((name) => name === 'nsset-waiting\n').length
}

const settled = (promise: Promise<unknown>) =>
  promise.then(
    (value) => ({ value, code: undefined, cause: undefined }),
    (error) => ({ value: undefined, code: error.code, cause: error.cause?.code }),
  )

const lookUp = (set: NamespaceSet) =>
  settled(
    new Promise((resolve, reject) =>
      set.network.lookup('a.test', {}, (error, address) => (error === null ? resolve(address) : reject(error))),
    ),
  )

describe('files of the host and networks of other sets respond as usual beside', () => {
  test('two sets whose /etc does not answer', async (context) => {
    const reason = missing('files')
    if (reason !== undefined) return context.skip(reason)
    using honest = NamespaceSet.unshareSync(['user', 'net'], { mapUser: 'root' })
    const list = () => honest.network.links.list()
    await list()
    const usual = await timesOf(list)
    await using hostile = await hostileSets('files', 2)
    const start = performance.now()
    const lookups = Promise.all(hostile.sets.flatMap((set) => [lookUp(set), lookUp(set), lookUp(set)]))
    const [files, lists] = await Promise.all([
      timesOf(() => readFile('/etc/hostname'), lookups),
      timesOf(list, lookups),
      // Their own networks do not depend on files.
      ...hostile.sets.map((set) => set.network.links.list()),
    ])
    // The helper's time limit is ten seconds.
    expect(performance.now() - start).toBeGreaterThan(9_000)
    expect(performance.now() - start).toBeLessThan(16_000)
    for (const outcome of await lookups) expect(outcome).toMatchObject({ code: 'EAI_AGAIN', cause: 'ETIMEDOUT' })
    expect(files.median).toBeLessThan(50)
    expect(files.longest).toBeLessThan(2_000)
    expect(lists.median).toBeLessThan(usual.median + 20)
    expect(lists.longest).toBeLessThan(2_000)
  }, 60_000)

  test('twelve of them, in a new set', async (context) => {
    const reason = missing('files')
    if (reason !== undefined) return context.skip(reason)
    await using hostile = await hostileSets('files', 12)
    const lookups = Promise.all(hostile.sets.map(lookUp))
    expect(await eventually(threadsThatWait, (count) => count === 12)).toBe(12)
    const start = performance.now()
    await using honest = await rootless()
    await honest.network.links.list()
    await honest.network.sysctls.set('net.ipv4.ip_forward', 1)
    expect(await lookUp(honest)).toMatchObject({ code: 'EAI_AGAIN', cause: expect.not.stringMatching('ETIMEDOUT') })
    expect(performance.now() - start).toBeLessThan(5_000)
    // A lookup in a closed set ends immediately.
    for (const set of hostile.sets) set.close()
    for (const outcome of await lookups) expect(outcome.code).toBe('ERR_NSSET_CLOSED')
    expect(performance.now() - start).toBeLessThan(6_000)
  }, 60_000)

  for (const malice of ['stop', 'kill'] as const) {
    test(`two sets that ${malice} helpers`, async (context) => {
      const reason = missing(malice)
      if (reason !== undefined) return context.skip(reason)
      using honest = NamespaceSet.unshareSync(['user', 'net'], { mapUser: 'root' })
      const list = () => honest.network.links.list()
      await list()
      await using hostile = await hostileSets(malice, 2)
      // With programs that look for a helper to stop, and find none.
      const [usual, usualFiles] = [await timesOf(list), await timesOf(() => readFile('/etc/hostname'))]
      const calls = ({ network }: NamespaceSet) => [network.links.list(), network.sysctls.get('net.ipv4.ip_forward')]
      const round = () => hostile.sets.flatMap((set) => [...calls(set).map(settled), lookUp(set)])
      /** On a busy machine they may need a while to hit the first. */
      const goOn = async () => {
        const outcomes = []
        for (const end = Date.now() + 20_000; outcomes.length < 60 || (hostile.hits() === 0 && Date.now() < end); ) {
          outcomes.push(...(await Promise.all([...round(), ...round()])))
        }
        return outcomes
      }
      const work = goOn()
      const [files, lists] = await Promise.all([timesOf(() => readFile('/etc/hostname'), work), timesOf(list, work)])
      for (const { code } of await work) {
        expect([undefined, 'ECHILD', 'ETIMEDOUT', 'EAI_AGAIN', 'ECONNRESET', 'EPIPE']).toContain(code)
      }
      expect(hostile.hits()).toBeGreaterThan(0)
      expect(files.median).toBeLessThan(usualFiles.median + 50)
      expect(files.longest).toBeLessThan(2_000)
      expect(lists.median).toBeLessThan(usual.median + 20)
      expect(lists.longest).toBeLessThan(2_000)
    }, 60_000)
  }
})

describe('a call below a hostile set blocks only that set', () => {
  for (const malice of ['stop', 'kill'] as const) {
    test(`with all helpers ${malice === 'stop' ? 'stopped' : 'killed'}`, async (context) => {
      const reason = missing(malice)
      if (reason !== undefined) return context.skip(reason)
      const below = async (base: NamespaceSet) => (await base.unshare('uts')).close()
      await using hostile = await hostileSets(malice, 2)
      const usual = await timesOf(() => readFile('/etc/hostname'))
      // More calls than libuv's pool has threads.
      const round = () =>
        Promise.all(hostile.sets.flatMap((set) => Array.from({ length: 6 }, () => settled(below(set)))))
      const goOn = async () => {
        const outcomes = []
        for (const end = Date.now() + 20_000; outcomes.length < 60 || (hostile.hits() === 0 && Date.now() < end); ) {
          outcomes.push(...(await round()))
        }
        return outcomes
      }
      const work = goOn()
      const files = await timesOf(() => readFile('/etc/hostname'), work)
      for (const { code } of await work) {
        expect([undefined, 'ECHILD', 'ETIMEDOUT', 'ECONNRESET', 'EPIPE']).toContain(code)
      }
      expect(hostile.hits()).toBeGreaterThan(0)
      expect(files.median).toBeLessThan(usual.median + 50)
      expect(files.longest).toBeLessThan(2_000)
    }, 60_000)
  }

  test('in two sets in which the path of a mount does not respond', async (context) => {
    const reason = missing('files')
    if (reason !== undefined) return context.skip(reason)
    await using hostile = await hostileSets('files', 2)
    const usual = await timesOf(() => readFile('/etc/hostname'))
    const controller = new AbortController()
    const { signal } = controller
    setMaxListeners(0, signal)
    const mounts = [{ type: 'bind', source: '/etc/answer', target: '/mnt' }] as const
    // More calls than libuv's pool has threads.
    const calls = hostile.sets.flatMap((set) =>
      Array.from({ length: 6 }, () => failureOf(() => set.unshare('mnt', { mounts, signal }))),
    )
    const files = await timesOf(() => readFile('/etc/hostname'), pass(1_000))
    const start = performance.now()
    controller.abort(new Error('enough'))
    for (const failure of await Promise.all(calls)) expect(failure).toMatchObject({ message: 'enough' })
    expect(performance.now() - start).toBeLessThan(2_000)
    expect(files.median).toBeLessThan(usual.median + 50)
    expect(files.longest).toBeLessThan(900)
  }, 60_000)

  test('and is aborted immediately by a signal, while it is queued, too', async (context) => {
    const reason = missing('stop')
    if (reason !== undefined) return context.skip(reason)
    await using hostile = await hostileSets('stop', 1)
    const [set] = hostile.sets as [NamespaceSet]
    const controller = new AbortController()
    const { signal } = controller
    setMaxListeners(0, signal)
    const calls = Array.from({ length: 100 }, () =>
      failureOf(async () => (await set.unshare('uts', { signal })).close()),
    )
    const last = calls.at(-1)
    const start = performance.now()
    setTimeout(() => controller.abort(new Error('enough')), 2)
    await Promise.allSettled(calls)
    expect(performance.now() - start).toBeLessThan(1_000)
    expect(await last).toMatchObject({ message: 'enough' })
  }, 30_000)
})

describe('a queued call in a hostile set', () => {
  test('is aborted immediately by a signal, and never done', async (context) => {
    const reason = missing('stop')
    if (reason !== undefined) return context.skip(reason)
    await using hostile = await hostileSets('stop', 1)
    const [set] = hostile.sets as [NamespaceSet]
    const { network } = set
    const first = settled(network.sysctls.set('net.ipv4.ip_default_ttl', 50))
    const controller = new AbortController()
    // Each needs a helper: few of them can be done before the abort.
    const ttl = (index: number) =>
      Array.from({ length: 50 }, () => action.sysctls.set('net.ipv4.ip_default_ttl', 100 + index))
    const later = Array.from({ length: 9 }, (_, index) =>
      failureOf(() => network.apply(ttl(index), { signal: controller.signal })),
    )
    const start = performance.now()
    setTimeout(() => controller.abort(new Error('enough')), 2)
    const failures = await Promise.all(later)
    expect(performance.now() - start).toBeLessThan(1_000)
    expect(failures.at(-1)).toMatchObject({ code: 'ABORT_ERR', cause: { message: 'enough' } })
    await first
    const after = await settled(network.sysctls.get('net.ipv4.ip_default_ttl'))
    expect(after.value).not.toBe('108')
  }, 30_000)

  test('leaves no thread and no descriptor', async (context) => {
    const reason = missing('kill')
    if (reason !== undefined) return context.skip(reason)
    const before = resources()
    {
      await using hostile = await hostileSets('kill', 2)
      await Promise.all(hostile.sets.map((set) => settled(set.network.links.list())))
    }
    expect(await growthSince(before)).toEqual({})
  }, 30_000)
})
