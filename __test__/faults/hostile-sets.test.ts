/**
 * A hostile set costs only itself: what is asked of a set in which nothing answers, or in which helpers are stopped or killed,
 * keeps neither this process waiting, nor libuv's pool, nor the networks of other sets.
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

/** Why this cannot be tried here; undefined where it can. */
function missing(malice: Malice): string | undefined {
  if (program === undefined) return 'needs a C compiler, cc'
  if (malice !== 'files') return undefined
  try {
    accessSync('/dev/fuse', constants.R_OK | constants.W_OK)
    return undefined
  } catch {
    return 'needs /dev/fuse, to read and to write'
  }
}

const rootless = () => NamespaceSet.unshare(['user', 'mnt', 'net'], { mapUser: 'root' })

interface HostileSets extends AsyncDisposable {
  sets: NamespaceSet[]
  /** How many helpers they have got. */
  hits(): number
}

/** So many sets, and what holds up each. */
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

/** How many milliseconds a call takes, over and over, until the work is done; ten times at least. */
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

describe('the files of the host and the networks of other sets answer as ever beside', () => {
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
      // Their own networks have nothing to do with files.
      ...hostile.sets.map((set) => set.network.links.list()),
    ])
    // The helper is given ten seconds.
    expect(performance.now() - start).toBeGreaterThan(9_000)
    expect(performance.now() - start).toBeLessThan(16_000)
    for (const outcome of await lookups) expect(outcome).toMatchObject({ code: 'EAI_AGAIN', cause: 'ETIMEDOUT' })
    expect(files.median).toBeLessThan(50)
    expect(files.longest).toBeLessThan(2_000)
    expect(lists.median).toBeLessThan(usual.median + 20)
    expect(lists.longest).toBeLessThan(2_000)
  }, 60_000)

  test('twelve of them, for a set that was not there before', async (context) => {
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
    // Those that are closed are not waited for.
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
      // Beside programs that look for a helper to stop, and find none.
      const [usual, usualFiles] = [await timesOf(list), await timesOf(() => readFile('/etc/hostname'))]
      const calls = ({ network }: NamespaceSet) => [network.links.list(), network.sysctls.get('net.ipv4.ip_forward')]
      const round = () => hostile.sets.flatMap((set) => [...calls(set).map(settled), lookUp(set)])
      /** On a machine that is busy they may take a while to get the first. */
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

describe('what is made below a hostile set is waited for by that set alone', () => {
  for (const malice of ['stop', 'kill'] as const) {
    test(`in one that has all helpers ${malice === 'stop' ? 'stopped' : 'killed'}`, async (context) => {
      const reason = missing(malice)
      if (reason !== undefined) return context.skip(reason)
      const below = async (base: NamespaceSet) => (await base.unshare('uts')).close()
      await using hostile = await hostileSets(malice, 2)
      const usual = await timesOf(() => readFile('/etc/hostname'))
      // More of them than libuv's pool has threads.
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

  test('in two in which a path of a mount does not answer', async (context) => {
    const reason = missing('files')
    if (reason !== undefined) return context.skip(reason)
    await using hostile = await hostileSets('files', 2)
    const usual = await timesOf(() => readFile('/etc/hostname'))
    const controller = new AbortController()
    const { signal } = controller
    setMaxListeners(0, signal)
    const mounts = [{ type: 'bind', source: '/etc/answer', target: '/mnt' }] as const
    // More of them than libuv's pool has threads.
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

  test('and is given up by a signal at once, before its turn too', async (context) => {
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

describe('what waits for its turn in a hostile set', () => {
  test('is given up by a signal at once, and is not done later', async (context) => {
    const reason = missing('stop')
    if (reason !== undefined) return context.skip(reason)
    await using hostile = await hostileSets('stop', 1)
    const [set] = hostile.sets as [NamespaceSet]
    const { network } = set
    const first = settled(network.sysctls.set('net.ipv4.ip_default_ttl', 50))
    const controller = new AbortController()
    // Each takes a helper: by the time of the abort few of them can have been done.
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
