/** listns(2), the kernel's own list of namespaces since Linux 7: the same namespaces as in `/proc`, and faster. */
import { release } from 'node:os'
import { NamespaceSet, namespaces } from 'nsset'
import { afterAll, beforeAll, expect } from 'vitest'
import { asRoot, isRoot } from '../setup/sets/privilege.ts'

const COUNT = 200
/** Rounds of both ways; the fastest of each are compared, which a busy machine disturbs least. */
const ROUNDS = 5

const isListed = Number(release().split('.')[0]) >= 7

const sets: NamespaceSet[] = []

beforeAll(() => {
  if (!isRoot || !isListed) return
  for (let count = 0; count < COUNT; count++) sets.push(NamespaceSet.unshareSync('uts'))
})

afterAll(() => {
  for (const set of sets) set.close()
})

/** In milliseconds. */
async function fastest(search: () => Promise<unknown>): Promise<number> {
  const times: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now()
    await search()
    times.push(performance.now() - start)
  }
  return Math.min(...times)
}

asRoot(
  'without holders, the list has what the walk of /proc finds',
  'the kernel shows all of them to root',
  async ({ skip }) => {
    if (!isListed) skip('the kernel has no listns(2), which came with Linux 7')
    const own = new Set(sets.map((set) => set.id()))
    const isOwn = ({ id }: { id: string }) => own.has(id)
    const plain = ({ id, uniqueId, owner, parent, ownerUid }: Awaited<ReturnType<typeof namespaces>>[number]) => ({
      ...{ id, uniqueId, owner, parent, ownerUid },
    })
    const [listed, walked] = [await namespaces({ holders: false }), await namespaces()]
    expect(listed.filter(isOwn).map(plain)).toEqual(walked.filter(isOwn).map(plain))
    expect(listed.filter(isOwn)).toHaveLength(COUNT)
    expect(listed.incomplete).toEqual([])
    using here = NamespaceSet.current()
    for (const kind of here.kinds) expect(listed.map(({ id }) => id)).toContain(here.id(kind))
  },
)

asRoot(
  'without holders, it is faster than the walk',
  'the kernel shows all of them to root',
  async ({ skip, annotate }) => {
    if (!isListed) skip('the kernel has no listns(2), which came with Linux 7')
    const walk = await fastest(() => namespaces())
    const list = await fastest(() => namespaces({ holders: false }))
    await annotate(`${(walk / list).toFixed(1)} times as fast`)
    expect(list).toBeLessThan(walk)
  },
)
