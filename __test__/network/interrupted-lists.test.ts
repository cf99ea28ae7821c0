/** Lists of a network that changes all the time: they resolve, say if they are not exact, and do not hold up other networks. */
import { action, type NamespaceSet } from 'nsset'
import { describe, expect, test } from 'vitest'
import { type List, listing } from '../../src/network/actions/list.ts'
import { ip, isVm, outputOf } from '../setup/oracles/iproute.ts'
import { anyonesSet } from '../setup/sets/anyones-set.ts'

/** How many pairs of links stay. Their descriptions fill many datagrams, so that changes fall between two of these. */
const KEPT = isVm ? 75 : 200

/** A network with many links of a kind that the kernel deletes together: bridges would hold up other tests for seconds. */
async function crowd(): Promise<NamespaceSet> {
  const set = anyonesSet(['net'])
  const lines = Array.from({ length: KEPT }, (_, number) => `link add k${number} type veth peer name peer${number}\n`)
  await outputOf(set, 'ip', '-batch -', lines.join(''))
  return set
}

/** Neighbours that stay, in many datagrams of a list. */
const ENTRIES = isVm ? 1_000 : 4_000

/** Creates and deletes links without a pause, until the end of a block. */
function unrest(set: NamespaceSet): Disposable {
  const stop = new AbortController()
  const again = async (name: string) => {
    const lines = `link add ${name} type veth peer name ${name}p\nlink delete ${name}\n`.repeat(50_000)
    while (!stop.signal.aborted) {
      const options = { input: lines, reject: false, signal: stop.signal } as const
      await set.execFile('ip', ['-force', '-batch', '-'], options).catch(() => undefined)
    }
  }
  for (const name of ['t0', 't1']) void again(name)
  return { [Symbol.dispose]: () => stop.abort() }
}

test('a list that is not exact says so, and is otherwise a list as any', () => {
  const { step } = listing('links.list', {}, () => '')
  if (step.type !== 'operation') throw new Error('a list is an operation')
  const read = step.read as (answer: unknown) => List<unknown>
  const long = {
    first: [{ name: 'a' }],
    table: [
      [0, 1],
      [{ name: 'b' }, {}],
    ],
  }
  const inexact = read({ consistent: false, items: long })
  expect(inexact).toEqual([{ name: 'a' }, { name: 'b' }])
  expect([inexact.consistent, read(long).consistent, 'consistent' in read([])]).toEqual([false, undefined, false])
  expect(JSON.stringify(inexact)).toBe('[{"name":"a"},{"name":"b"}]')
})

describe('a list of a network that changes all the time', () => {
  test('is approximate after many tries, if changes fall into each of them', { timeout: 120_000 }, async () => {
    using set = anyonesSet(['net'])
    const { network } = set
    await outputOf(set, 'ip', 'link add br0 up type bridge')
    const mac = '02:00:00:00:00:01'
    const kept = Array.from({ length: ENTRIES }, (_, index) => `10.1.${index >> 8}.${index & 0xff}`)
    await network.apply(kept.map((address) => action.neighbours.add('br0', { address, mac })))
    // Requests over other sockets have their turn after some datagrams of a list, so that each list is interrupted.
    using other = set.dup()
    const replace = action.neighbours.replace('br0', { address: '10.2.0.1', mac })
    const changes = [replace, action.neighbours.delete('br0', { address: '10.2.0.1' })]
    const stop = new AbortController()
    const { signal } = stop
    const many = Array.from({ length: 10_000 }, (_, index) => changes[index % 2] as (typeof changes)[0])
    const changing = (async () => {
      while (!signal.aborted) await other.network.apply(many, { signal }).catch(() => undefined)
    })()
    let list = await network.neighbours.list('br0')
    while (list.consistent === undefined) list = await network.neighbours.list('br0')
    stop.abort()
    await changing
    expect(list.consistent).toBe(false)
    const addresses = new Set(list.map(({ address }) => address))
    expect(kept.filter((address) => !addresses.has(address)).length).toBeLessThan(ENTRIES / 2)
    expect((await network.neighbours.list('br0')).consistent).toBeUndefined()
  })

  test('resolves, and has all that stays, or says that it may lack some', { timeout: 120_000 }, async () => {
    using set = await crowd()
    const before = (await set.network.links.list()).filter(({ name }) => name.startsWith('k'))
    expect(before).toHaveLength(KEPT)
    using _ = unrest(set)
    let inexact = 0
    for (let count = 0; count < (isVm ? 4 : 20); count += 1) {
      const [links, addresses, qdiscs, rules] = await Promise.all([
        set.network.links.list(),
        set.network.addresses.list(),
        set.network.qdiscs.list(),
        set.network.rules.list(),
      ])
      for (const list of [links, addresses, qdiscs, rules]) {
        expect(Array.isArray(list)).toBe(true)
        expect([undefined, false]).toContain(list.consistent)
        expect(Object.keys(list)).toHaveLength(list.length)
        if (list.consistent === false) inexact += 1
      }
      if (links.consistent === false) continue
      expect(links.filter(({ name }) => name.startsWith('k'))).toHaveLength(KEPT)
    }
    console.log(`${inexact} of the lists were not exact`)
  })

  test('does not hold up another network', { timeout: 120_000 }, async () => {
    using set = await crowd()
    using other = anyonesSet(['net'])
    await other.network.links.get('lo')
    using _ = unrest(set)
    let meanwhile = 0
    for (let count = 0; count < 5; count += 1) {
      let isListed = false
      const listed = Promise.all([set.network.qdiscs.list(), set.network.links.list()]).then(() => {
        isListed = true
      })
      while (!isListed) {
        await other.network.links.get('lo')
        if (!isListed) meanwhile += 1
      }
      await listed
    }
    console.log(`${meanwhile} calls about another network during 5 lists`)
    expect(meanwhile).toBeGreaterThan(0)
  })

  test('is exact again afterwards', async () => {
    using set = await crowd()
    {
      using _ = unrest(set)
      await set.network.links.list()
    }
    const printed = (await ip(set, '-br link')).match(/^k\d+/gm)?.length
    const links = await set.network.links.list()
    expect(links.filter(({ name }) => name.startsWith('k'))).toHaveLength(printed ?? 0)
    expect(printed).toBe(KEPT)
  })
})
