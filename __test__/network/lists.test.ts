/** Lists are correct, or report that they are not: links with many names, and concurrent changes. */
import type { NamespaceSet } from 'nsset'
import { describe, expect, test } from 'vitest'
import { ip, ipLink, isVm, outputOf } from '../setup/oracles/iproute.ts'
import { anyonesSet } from '../setup/sets/anyones-set.ts'

describe('a link whose description is longer than 32 KiB', () => {
  for (const count of [240, 490]) {
    test(`with ${count} alternative names hides no other link, and can be used`, async () => {
      using set = anyonesSet(['net'])
      const { links, addresses, routes, qdiscs } = set.network
      for (const name of ['br0', 'br1', 'br2']) await links.add({ kind: 'bridge', name })
      const names = Array.from({ length: count }, (_, number) => `a${number}`.padEnd(127, 'x'))
      await outputOf(set, 'ip', '-batch -', names.map((name) => `link property add dev br1 altname ${name}\n`).join(''))
      const printed = (await ip(set, '-br link')).trim().split('\n').length
      for (let times = 0; times < 2; times += 1) {
        const listed = await links.list()
        expect(listed.map(({ name }) => name)).toEqual(expect.arrayContaining(['lo', 'br0', 'br1', 'br2']))
        expect(listed).toHaveLength(printed)
        expect(await links.get('br1')).toMatchObject({ name: 'br1', kind: 'bridge' })
      }
      await links.set('br1', { up: true, mtu: 1400, alias: 'many' })
      expect(await links.get({ alias: 'many' })).toMatchObject({ name: 'br1', mtu: 1400 })
      await links.ensure({ kind: 'bridge', name: 'br1', addresses: ['10.0.0.1/24'] })
      await routes.add({ destination: '10.9.0.0/16', dev: 'br1' })
      await qdiscs.add('br1', { kind: 'tbf', rate: 1_000_000 })
      expect((await addresses.list('br1')).map(({ cidr }) => cidr)).toContain('10.0.0.1/24')
      await links.set('br1', { up: false, name: 'br9' })
      await links.delete('br9')
      await expect(links.get('br9')).rejects.toMatchObject({ code: 'ENODEV' })
    })
  }
})

/** Runs lines of ip(8) repeatedly, until the end of a block. */
function churn(set: NamespaceSet, lines: readonly string[]): AsyncDisposable {
  const stop = new AbortController()
  const again = async () => {
    while (!stop.signal.aborted) {
      await set.execFile('ip', ['-force', '-batch', '-'], { input: `${lines.join('\n')}\n`, reject: false })
      // The changes leave the lists a part of the machine.
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
  const over = again()
  return {
    async [Symbol.asyncDispose]() {
      stop.abort()
      await over
    },
  }
}

const hex = (number: number) => number.toString(16)

describe('during concurrent changes', () => {
  const times = isVm ? 3 : 12

  test('unchanged IPv6 routes are listed once each', { timeout: 120_000 }, async () => {
    using set = anyonesSet(['net'])
    await ip(set, 'link add br0 up type bridge')
    const kept = Array.from({ length: 6000 }, (_, number) => `fd${hex(16 + (number % 96))}:${hex(number + 1)}::/48`)
    await outputOf(set, 'ip', '-batch -', kept.map((route) => `route add ${route} dev br0\n`).join(''))
    const touched = Array.from(
      { length: 400 },
      (_, number) => `fd${hex(16 + ((number * 7) % 96))}:${hex(0xe000 + number)}::/48 dev br0`,
    )
    const lines = touched.flatMap((route) => [`route add ${route}`, `route del ${route}`])
    const wanted = new Set(kept)
    await using _ = churn(set, lines)
    let right = 0
    for (let count = 0; count < times; count += 1) {
      const listed = await set.network.routes.list({ table: 254 }).catch((error) => {
        // It reports that the list is unreliable.
        expect(error).toMatchObject({ name: 'ActionError', code: 'EAGAIN' })
      })
      if (listed === undefined) continue
      right++
      const untouched = listed.map(({ destination }) => destination).filter((destination) => wanted.has(destination))
      expect(new Set(untouched).size).toBe(kept.length)
      expect(untouched).toHaveLength(kept.length)
    }
    expect(right).toBeGreaterThan(times / 2)
  })

  test('unchanged links, addresses and queueing disciplines are listed once each', {
    timeout: 120_000,
  }, async () => {
    using set = anyonesSet(['net'])
    const kept = Array.from({ length: 150 }, (_, number) => `k${number}`)
    const make = (name: string) => [`link add ${name} type bridge`, `address add 10.0.0.1/32 dev ${name}`]
    await outputOf(set, 'ip', '-batch -', `${kept.flatMap(make).join('\n')}\n`)
    await set.network.qdiscs.add('k0', { kind: 'tbf', rate: 1_000_000 })
    const indexes = new Set(
      (await set.network.links.list()).filter(({ name }) => name.startsWith('k')).map(({ index }) => index),
    )
    const lines = Array.from({ length: 50 }, (_, number) => [...make(`t${number}`), `link delete t${number}`]).flat()
    await using _ = churn(set, lines)
    let right = 0
    for (let count = 0; count < times; count += 1) {
      const lists = await Promise.allSettled([
        set.network.links.list().then((links) => links.map(({ index }) => index)),
        set.network.addresses.list().then((addresses) => addresses.map(({ link }) => link.index)),
      ])
      for (const list of lists) {
        if (list.status === 'rejected') {
          expect(list.reason).toMatchObject({ name: 'ActionError', code: 'EAGAIN' })
          continue
        }
        right++
        const untouched = list.value.filter((index) => indexes.has(index))
        expect(new Set(untouched).size).toBe(kept.length)
        expect(untouched).toHaveLength(kept.length)
      }
      const qdiscs = await set.network.qdiscs.list('k0').catch((error) => {
        expect(error).toMatchObject({ name: 'ActionError', code: 'EAGAIN' })
      })
      if (qdiscs !== undefined) expect(qdiscs).toMatchObject([{ kind: 'tbf' }])
    }
    expect(right).toBeGreaterThan(times)
    expect(await ipLink(set, 'k0')).toMatchObject({ ifname: 'k0' })
  })
})
