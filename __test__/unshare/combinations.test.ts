/** Every combination of kinds: unshared, and a program inside that stands in the set's namespaces and nowhere else. */
import { readlinkSync } from 'node:fs'
import { type NamespaceKind, NamespaceSet, NS } from 'nsset'
import { expect, test } from 'vitest'
import { growthSince } from '../setup/guards/growth.ts'
import { eventually, resources } from '../setup/guards/resources.ts'
import { ALL_KINDS, type Place, setPlace, threadPlace } from '../setup/guards/thread-place.ts'
import { asRoot } from '../setup/sets/privilege.ts'

/** All 255. */
const COMBINATIONS: NamespaceKind[][] = Array.from({ length: 255 }, (_, index) =>
  ALL_KINDS.filter((_, bit) => ((index + 1) & (1 << bit)) !== 0),
)

function flagsOf(kinds: NamespaceKind[]): number {
  return kinds.reduce((mask, kind) => mask | NS[kind.toUpperCase() as keyof typeof NS], 0)
}

/** Where a program inside stands. It is looked at from outside, whose `/proc` knows every process. */
async function placeOfProgram(set: NamespaceSet): Promise<Place> {
  const child = set.spawn('cat', { stdio: ['pipe', 'ignore', 'inherit'] })
  const ended = new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve))
  try {
    return Object.fromEntries(ALL_KINDS.map((kind) => [kind, readlinkSync(`/proc/${child.pid}/ns/${kind}`)]))
  } finally {
    child.stdin?.end()
    expect(await ended).toBe(0)
  }
}

/** What a program of these kinds reads in a `/proc` of its own: links of the namespaces it stands in. */
async function placeAsSeenInside(set: NamespaceSet): Promise<Place> {
  const { stdout } = await set.execFile(
    'readlink',
    set.kinds.map((kind) => `/proc/self/ns/${kind}`),
  )
  const links = stdout.trimEnd().split('\n')
  return Object.fromEntries(set.kinds.map((kind, index) => [kind, links[index]]))
}

async function expectNewAndInside(kinds: NamespaceKind[]): Promise<void> {
  const name = kinds.join('+')
  const hasOwnProc = kinds.includes('mnt') && kinds.includes('pid')
  using set = await NamespaceSet.unshare(kinds, {
    mapUser: kinds.includes('user') ? 'root' : undefined,
    mounts: hasOwnProc ? [{ type: 'proc', target: '/proc' }] : undefined,
  })
  const home = threadPlace()
  expect(set.kinds, name).toEqual(kinds)
  expect(set.flags, name).toBe(flagsOf(kinds))
  for (const kind of kinds) expect(set.id(kind), name).not.toBe(home[kind])
  expect(await placeOfProgram(set), name).toEqual({ ...home, ...setPlace(set) })
  // Without a /proc of its own, a program in a new pid namespace has no /proc/self.
  if (hasOwnProc || !kinds.includes('pid')) expect(await placeAsSeenInside(set), name).toEqual(setPlace(set))
}

/** Five at a time, since each waits for programs to end. */
async function expectAll(combinations: NamespaceKind[][]): Promise<void> {
  const queue = [...combinations]
  const work = async (): Promise<void> => {
    for (let kinds = queue.pop(); kinds !== undefined; kinds = queue.pop()) await expectNewAndInside(kinds)
  }
  await Promise.all(Array.from({ length: 5 }, work))
}

for (let size = 1; size <= ALL_KINDS.length; size += 1) {
  const combinations = COMBINATIONS.filter((kinds) => kinds.length === size)
  const alone = combinations.filter((kinds) => !kinds.includes('user'))
  const owned = combinations.filter((kinds) => kinds.includes('user'))

  test(`all ${owned.length} combinations of ${size} with user`, () => expectAll(owned), 60_000)

  if (alone.length > 0) {
    const reason = 'without a user namespace each kind takes CAP_SYS_ADMIN'
    asRoot(`all ${alone.length} combinations of ${size} without user`, reason, () => expectAll(alone), 60_000)
  }
}

test('they are 255, of which 128 are for an ordinary user, too', () => {
  expect(new Set(COMBINATIONS.map(flagsOf)).size).toBe(255)
  expect(COMBINATIONS.filter((kinds) => kinds.includes('user'))).toHaveLength(128)
})

test('all of them leave nothing behind', async () => {
  const before = await eventually(resources, (now) => now.children === 0)
  const owned = COMBINATIONS.filter((kinds) => kinds.includes('user'))
  for (const kinds of owned) NamespaceSet.unshareSync(kinds, { mapUser: 'root' }).close()
  expect(await growthSince(before)).toEqual({})
})
