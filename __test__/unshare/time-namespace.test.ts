/** Clocks that are ahead, or behind: time_namespaces(7). */
import { readFileSync } from 'node:fs'
import { NamespaceSet, type TimeOffsets } from 'nsset'
import { expect, test } from 'vitest'
import { asRoot } from '../setup/sets/privilege.ts'

const DAY = 86_400

function withOffsets(timeOffsets: TimeOffsets, ...kinds: ('pid' | 'mnt' | 'net')[]): Promise<NamespaceSet> {
  return NamespaceSet.unshare(['user', 'time', ...kinds], { mapUser: 'root', timeOffsets })
}

/** `{ monotonic: [seconds, nanoseconds], boottime: … }`, as a program inside reads it. */
async function offsetsIn(set: NamespaceSet): Promise<Record<string, number[]>> {
  const { stdout } = await set.execFile('cat', ['/proc/self/timens_offsets'])
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/\s+/))
  return Object.fromEntries(lines.map(([clock, ...numbers]) => [clock, numbers.map(Number)]))
}

const uptime = (): number => Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0])

/** How far the uptime inside is ahead: at least and at most, to the hundredth that the kernel shows. */
async function uptimeAhead(set: NamespaceSet): Promise<[number, number]> {
  const before = uptime()
  const inside = Number((await set.execFile('cat', ['/proc/uptime'])).stdout.split(' ')[0])
  return [inside - uptime() - 0.02, inside - before + 0.02]
}

function expectWithin([least, most]: [number, number], offset: number): void {
  expect(least).toBeLessThanOrEqual(offset)
  expect(most).toBeGreaterThanOrEqual(offset)
}

test('boottime moves the uptime inside, and nothing outside', async () => {
  using set = await withOffsets({ boottime: 7 * DAY })
  expectWithin(await uptimeAhead(set), 7 * DAY)
  expect(await offsetsIn(set)).toEqual({ monotonic: [0, 0], boottime: [7 * DAY, 0] })
  using home = NamespaceSet.current('time')
  expect(set.equals(home, 'time')).toBe(false)
  expect(readFileSync('/proc/self/timens_offsets', 'utf8')).not.toContain(String(7 * DAY))
})

test('monotonic moves the clock that programs measure with', async () => {
  using set = await withOffsets({ monotonic: DAY })
  const before = process.hrtime()[0]
  const inside = Number((await set.execFile(process.execPath, ['--print', 'process.hrtime()[0]'])).stdout)
  expect(inside).toBeGreaterThanOrEqual(before + DAY)
  expect(inside).toBeLessThanOrEqual(process.hrtime()[0] + DAY)
  expectWithin(await uptimeAhead(set), 0)
})

test('negative and fractional offsets', async () => {
  using set = await withOffsets({ boottime: -1.5, monotonic: 0.25 })
  expect(await offsetsIn(set)).toEqual({ monotonic: [0, 250_000_000], boottime: [-2, 500_000_000] })
  expectWithin(await uptimeAhead(set), -1.5)
  using tiny = await withOffsets({ boottime: -1e-9, monotonic: 1e-9 })
  expect(await offsetsIn(tiny)).toEqual({ monotonic: [0, 1], boottime: [-1, 999_999_999] })
  using long = await withOffsets({ boottime: 1_000_000_000.5 })
  expect(await offsetsIn(long)).toEqual({ monotonic: [0, 0], boottime: [1_000_000_000, 500_000_000] })
})

test('without offsets it is a new namespace with the caller’s clocks', async () => {
  using set = await NamespaceSet.unshare(['user', 'time'], { mapUser: 'root' })
  using home = NamespaceSet.current('time')
  expect(set.equals(home, 'time')).toBe(false)
  expect(await offsetsIn(set)).toEqual(parseOwn())
  using none = await withOffsets({})
  expect(await offsetsIn(none)).toEqual({ monotonic: [0, 0], boottime: [0, 0] })
})

function parseOwn(): Record<string, number[]> {
  const lines = readFileSync('/proc/self/timens_offsets', 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/\s+/))
  return Object.fromEntries(lines.map(([clock, ...numbers]) => [clock, numbers.map(Number)]))
}

test('the set holds the new namespace, and a program inside is in it', async () => {
  using set = await withOffsets({ boottime: DAY })
  expect((await set.execFile('readlink', ['/proc/self/ns/time'])).stdout.trim()).toBe(set.id('time'))
  expect((await set.execFile('readlink', ['/proc/self/ns/time_for_children'])).stdout.trim()).toBe(set.id('time'))
})

test('together with pid, mnt and net', async () => {
  using set = await NamespaceSet.unshare(['user', 'time', 'pid', 'mnt', 'net'], {
    mapUser: 'root',
    timeOffsets: { boottime: DAY, monotonic: 2 * DAY },
    mounts: [{ type: 'proc', target: '/proc' }],
  })
  expectWithin(await uptimeAhead(set), DAY)
  expect(await offsetsIn(set)).toEqual({ monotonic: [2 * DAY, 0], boottime: [DAY, 0] })
  const { stdout } = await set.execFile('sh', ['-c', 'echo $$; readlink /proc/self /proc/self/ns/time'])
  const [pid, self, time] = stdout.trim().split('\n')
  expect(Number(pid)).toBeLessThan(10)
  expect(Number(self)).toBeGreaterThan(1)
  expect(time).toBe(set.id('time'))
})

test('of a base: the offsets inside are from the first clocks, not from the base’s', async () => {
  using base = await withOffsets({ boottime: DAY })
  using set = await base.unshare('time', { timeOffsets: { boottime: 3 * DAY } })
  expectWithin(await uptimeAhead(set), 3 * DAY)
  using same = await base.unshare('uts')
  expect(same.equals(base, 'time')).toBe(true)
  expectWithin(await uptimeAhead(same), DAY)
})

test('of a base: a clock that is left out stays as far ahead as it is there', async () => {
  using base = await withOffsets({ monotonic: 100, boottime: 200 })
  const rows: [TimeOffsets | undefined, [monotonic: number, boottime: number]][] = [
    [undefined, [100, 200]],
    [{}, [100, 200]],
    [{ monotonic: 10 }, [10, 200]],
    [{ boottime: 0 }, [100, 0]],
    [{ monotonic: -5, boottime: 7 }, [-5, 7]],
  ]
  for (const [timeOffsets, [monotonic, boottime]] of rows) {
    using set = await base.unshare('time', { timeOffsets })
    expect(await offsetsIn(set)).toEqual({ monotonic: [monotonic, 0], boottime: [boottime, 0] })
  }
})

asRoot('goes without a user namespace', 'a time namespace alone takes CAP_SYS_ADMIN', async () => {
  using set = NamespaceSet.unshareSync('time', { timeOffsets: { boottime: DAY } })
  expectWithin(await uptimeAhead(set), DAY)
})

test('beyond what the kernel takes is its error, explained', async () => {
  const refused = { name: 'NamespaceError', code: 'ERANGE', kind: 'time', path: '/proc/self/timens_offsets' }
  const message = expect.stringContaining('below 0 or past 146 years')
  for (const boottime of [-uptime() - DAY, 150 * 365.25 * DAY, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]) {
    await expect(withOffsets({ boottime }), String(boottime)).rejects.toMatchObject({ ...refused, message })
    await expect(withOffsets({ monotonic: boottime }), String(boottime)).rejects.toMatchObject({ ...refused, message })
  }
})

test('what is no number of seconds is refused', async () => {
  for (const boottime of [Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
    const refused = { name: 'RangeError', code: 'ERR_INVALID_ARG_VALUE' }
    await expect(withOffsets({ boottime }), String(boottime)).rejects.toMatchObject(refused)
  }
  await expect(withOffsets({ boottime: '1' as unknown as number })).rejects.toMatchObject({
    code: 'ERR_INVALID_ARG_TYPE',
  })
})
