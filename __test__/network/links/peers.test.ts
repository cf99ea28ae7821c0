/** The ids of other networks, as `ip netns list-id` prints them, and the other ends of links in these networks. */
import { action, type NamespaceSet } from 'nsset'
import { describe, expect, test } from 'vitest'
import { ip, ipLink, isMadeBy } from '../../setup/oracles/iproute.ts'
import { anyonesSet } from '../../setup/sets/anyones-set.ts'
import { type Case, failureOf, range, refuses, type, untyped } from '../../setup/sets/failure.ts'

/** Three networks of one user namespace, of which the first two have a veth. */
function lab(): { here: NamespaceSet; there: NamespaceSet; elsewhere: NamespaceSet } & Disposable {
  const base = anyonesSet(['net'])
  const [here, there, elsewhere] = [base.unshareSync('net'), base.unshareSync('net'), base.unshareSync('net')]
  here.network.sync.links.add({ kind: 'veth', name: 'eth0', peer: { name: 'wan', set: there } })
  const close = () => {
    for (const set of [base, here, there, elsewhere]) set.close()
  }
  return { here, there, elsewhere, [Symbol.dispose]: close }
}

/** The ids that `ip` prints. */
async function idsOfIp(set: NamespaceSet): Promise<number[]> {
  const listed: { nsid: number }[] = JSON.parse(await ip(set, '-j netns list-id'))
  return listed.map(({ nsid }) => nsid)
}

describe('network.ids', () => {
  test('lists what ip lists, and finds the network of a link', async () => {
    using sets = lab()
    const { here, there, elsewhere } = sets
    const { ids, links } = here.network
    const { peer } = await links.get('eth0')
    const id = peer?.netnsId as number
    expect(await idsOfIp(here)).toContain(id)
    expect(await ids.list()).toEqual(await idsOfIp(here))
    expect(await ids.get(there)).toBe(id)
    expect(await ids.get(elsewhere)).toBeUndefined()
    expect(await ids.find(id, [elsewhere, there])).toBe(there)
    expect(await ids.find(id, [elsewhere])).toBeUndefined()
    expect(await ids.find(id + 1000, [elsewhere, there])).toBeUndefined()
    expect(here.network.sync.ids.find(id, [elsewhere, there])).toBe(there)
  })

  test('gives a network an id, once', async () => {
    using sets = lab()
    const { here, there, elsewhere } = sets
    const { ids } = here.network
    expect(await ids.set(elsewhere, 77)).toBe(77)
    expect(await idsOfIp(here)).toContain(77)
    expect(await ids.set(elsewhere)).toBe(77)
    const again = await failureOf(() => ids.set(elsewhere, 78))
    expect(again).toMatchObject({ name: 'ActionError', code: 'EEXIST', syscall: 'RTM_NEWNSID', target: '78' })
    expect(again.message).toContain('which cannot be changed')
    using another = elsewhere.unshareSync('net')
    const taken = await failureOf(() => ids.set(another, 77))
    expect(taken.code).toMatch(/ENOSPC|EEXIST/)
    const chosen = await ids.set(another)
    expect(await ids.get(another)).toBe(chosen)
    const [found, id] = await here.network.apply([action.ids.find(77, [there, elsewhere]), action.ids.get(there)])
    expect(found).toBe(elsewhere)
    expect(id).toBeTypeOf('number')
  })
})

describe('links.peer()', () => {
  test('is the other end of a veth, with the set that it is in', async () => {
    using sets = lab()
    const { here, there, elsewhere } = sets
    const printed = await ipLink(there, 'wan')
    const peer = await here.network.links.peer('eth0', [elsewhere, there])
    expect(peer).toMatchObject({ index: printed.ifindex, netnsId: expect.any(Number), link: { name: 'wan' } })
    expect(peer?.set).toBe(there)
    expect(peer?.link?.statistics.receivedBytes).toBe(0)
    const unknown = await here.network.links.peer('eth0', [elsewhere])
    expect(unknown).toEqual({ index: printed.ifindex, netnsId: peer?.netnsId })
    expect(here.network.sync.links.peer('eth0', [there])?.set).toBe(there)
    const [applied] = await here.network.apply([action.links.peer('eth0', [there])])
    expect(applied?.link?.name).toBe('wan')
  })

  test('is in the same network, or does not exist', async ({ skip }) => {
    using sets = lab()
    const { here, there } = sets
    const { links } = here.network
    await ip(here, 'link add a0 type veth peer name b0')
    const peer = await links.peer('a0', [there])
    expect(peer).toMatchObject({ link: { name: 'b0' } })
    expect(peer).not.toHaveProperty('set')
    expect(peer).not.toHaveProperty('netnsId')
    expect(await links.peer('lo')).toBeUndefined()
    expect(await failureOf(() => links.peer('none0'))).toMatchObject({ code: 'ENODEV', action: 'links.peer' })
    if (!(await isMadeBy(here, 'ip', 'link add link a0 name mv0 type macvlan'))) skip('this kernel has no macvlan')
    await links.move('mv0', there)
    const below = await there.network.links.peer('mv0', [here])
    expect(below).toMatchObject({ link: { name: 'a0' } })
    expect(below?.set).toBe(here)
  })
})

describe('invalid arguments throw', () => {
  const using = (call: (set: NamespaceSet) => unknown) => async () => {
    using set = anyonesSet(['net'])
    return await call(set)
  }
  const cases: Case[] = [
    ['a negative id', using(({ network }) => network.ids.find(-1, [])), range('id')],
    ['an id that is too large', using((set) => set.network.ids.set(set, 2 ** 31)), range('id')],
    ['a set that is none', using(({ network }) => network.ids.get(untyped('blue'))), type('set')],
    ['sets that are no array', using(({ network }) => network.links.peer('lo', untyped<[]>({}))), type('sets')],
    [
      'one of them that is none',
      using(({ network }) => network.ids.find(1, [untyped<NamespaceSet>(7)])),
      type('sets[0]'),
    ],
  ]
  refuses(cases)
})
