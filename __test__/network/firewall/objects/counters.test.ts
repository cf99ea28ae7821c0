/** Counters, quotas and elements of sets, while a table is in force. */
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { nft } from '../../../setup/oracles/firewall/nft.ts'
import { anyonesSet } from '../../../setup/sets/anyones-set.ts'
import { failureOf } from '../../../setup/sets/failure.ts'

test('counters and quotas count packets, and nft sees the same numbers', async () => {
  using set = anyonesSet(['net'], { loopback: true })
  const { firewall } = set.network
  const rules = [
    [{ oifname: 'lo' }, { 'udp dport': 9 }, { counter: 'nine' }, { quota: 'month' }, 'counter', 'drop'],
    ['counter'],
  ] as const
  const chains = { output: { hook: 'output', rules }, other: { rules: [['counter']] } } as const
  await firewall.replace('t', { chains, counters: { nine: {}, idle: {} }, quotas: { month: { bytes: 1e6 } } })
  const socket = set.network.createSocket('udp4')
  for (let count = 0; count < 3; count += 1) {
    await new Promise((resolve) => socket.send('x'.repeat(72), 9, '127.0.0.1', resolve))
  }
  socket.close()
  await once(socket, 'close')
  // 72 bytes, and the headers of IP and UDP.
  const count = { packets: 3, bytes: 300 }
  const counts = await firewall.counters('t')
  expect(counts).toEqual({
    counters: { nine: count, idle: { packets: 0, bytes: 0 } },
    quotas: { month: 300 },
    elements: [],
    rules: [
      { chain: 'output', rule: 0, ...count },
      { chain: 'output', rule: 1, packets: 0, bytes: 0 },
      { chain: 'other', rule: 0, packets: 0, bytes: 0 },
    ],
  })
  expect(await nft(set, 'list', 'counter', 'inet', 't', 'nine')).toContain('packets 3 bytes 300')
  expect(await failureOf(() => firewall.counters('u'))).toMatchObject({ code: 'ENOENT' })
})

test('elements are added and deleted without a new table', async () => {
  using set = anyonesSet(['net'])
  const { firewall } = set.network
  await firewall.replace('t', {
    sets: {
      ports: { type: 'inet_service', elements: [22] },
      blocked: { type: 'ipv4_addr', flags: ['interval', 'timeout'], elements: ['10.0.0.0/8'] },
      pairs: { type: ['ipv4_addr', 'inet_service'] },
      services: { type: 'inet_service', data: 'verdict' },
    },
    chains: { c: {} },
  })
  await firewall.addElements('t', 'ports', [80, 22])
  await firewall.addElements('t', 'blocked', [
    '192.0.2.1-192.0.2.9',
    { key: '198.51.100.7', timeout: 60_000, comment: 'a minute' },
  ])
  await firewall.addElements('t', 'pairs', [['10.0.0.1', 22]])
  await firewall.addElements('t', 'services', [
    { key: 22, verdict: { jump: 'c' } },
    { key: 80, verdict: 'drop' },
  ])
  const { sets = {} } = await firewall.get('t')
  expect(Object.entries(sets).map(([name, { elements }]) => [name, elements])).toEqual([
    ['ports', [22, 80]],
    [
      'blocked',
      [
        '10.0.0.0/8',
        '192.0.2.1-192.0.2.9',
        { key: '198.51.100.7', timeout: 60_000, expires: expect.any(Number), comment: 'a minute' },
      ],
    ],
    ['pairs', [['10.0.0.1', 22]]],
    [
      'services',
      [
        { key: 22, verdict: { jump: 'c' } },
        { key: 80, verdict: 'drop' },
      ],
    ],
  ])
  expect(await nft(set, 'list', 'set', 'inet', 't', 'ports')).toContain('elements = { 22, 80 }')
  await firewall.deleteElements('t', 'ports', [22])
  await firewall.deleteElements('t', 'blocked', ['10.0.0.0/8', '198.51.100.7'])
  await firewall.deleteElements('t', 'services', [22])
  const after = (await firewall.get('t')).sets ?? {}
  expect(after['ports']?.elements).toEqual([80])
  expect(after['blocked']?.elements).toEqual(['192.0.2.1-192.0.2.9'])
  expect(after['services']?.elements).toEqual([{ key: 80, verdict: 'drop' }])
})

test('elements that are wrong change nothing', async () => {
  using set = anyonesSet(['net'])
  const { firewall } = set.network
  const blocked = { type: 'ipv4_addr', flags: ['interval'], elements: ['10.0.0.0/8'] } as const
  await firewall.replace('t', { sets: { blocked } })
  const codeOf = async (call: () => unknown) => (await failureOf(call)).code
  expect(await codeOf(() => firewall.addElements('t', 'blocked', ['192.0.2.1', '10.1.0.0/16']))).toBe('EEXIST')
  expect(await codeOf(() => firewall.addElements('t', 'blocked', ['192.0.2.1', 'fd00::1']))).toBe(
    'ERR_INVALID_ARG_VALUE',
  )
  expect(await codeOf(() => firewall.deleteElements('t', 'blocked', ['10.0.0.0/8', '192.0.2.1']))).toBe('ENOENT')
  expect(await codeOf(() => firewall.addElements('t', 'none', ['10.0.0.1']))).toBe('ENOENT')
  expect((await firewall.get('t')).sets?.['blocked']?.elements).toEqual(['10.0.0.0/8'])
})
