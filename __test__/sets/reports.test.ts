/** The diagnostics channels: what nsset did, in which set, how long it took, and how it ended. */
import { type ChannelListener, subscribe, unsubscribe } from 'node:diagnostics_channel'
import { inspect } from 'node:util'
import { ActionError, action, type ReportBase, wireguard } from 'nsset'
import { describe, expect, test } from 'vitest'
import { runPlainNode } from '../setup/programs/plain-node.ts'
import { anyonesSet } from '../setup/sets/anyones-set.ts'
import { failureOf } from '../setup/sets/failure.ts'
import { isRoot } from '../setup/sets/privilege.ts'

/** Collects the messages of a channel while work runs. */
async function during(channel: string, work: () => unknown): Promise<ReportBase[]> {
  const messages: ReportBase[] = []
  const listener: ChannelListener = (message) => messages.push(message as ReportBase)
  subscribe(channel, listener)
  try {
    await work()
  } finally {
    unsubscribe(channel, listener)
  }
  return messages
}

describe('nsset:request', () => {
  test('reports each request, with its set and duration', async () => {
    using set = anyonesSet(['net'])
    const { network } = set
    const messages = await during('nsset:request', async () => {
      await network.links.add({ kind: 'bridge', name: 'br0' })
      network.sync.links.set('br0', { up: true })
    })
    const common = { set: String(set), duration: expect.any(Number) }
    expect(messages).toEqual([
      { ...common, actions: ['links.add br0'] },
      { ...common, actions: ['links.set br0'] },
    ])
  })

  test('reports a list as the requests that it takes, and the error', async () => {
    using set = anyonesSet(['net'])
    const messages = await during('nsset:request', () =>
      failureOf(() =>
        set.network.apply([
          action.links.add({ kind: 'bridge', name: 'br0' }),
          action.addresses.add('br0', '10.0.0.1/24'),
          action.call('nothing', () => undefined),
          action.links.delete('nowhere'),
        ]),
      ),
    )
    expect(messages).toMatchObject([
      { actions: ['links.add br0', 'addresses.add 10.0.0.1/24 of br0'] },
      { actions: ['links.delete nowhere'], error: { code: 'ENODEV' } },
    ])
  })

  test('contains no keys', async () => {
    using set = anyonesSet(['net'])
    const { privateKey } = wireguard.generateKeys()
    const messages = await during('nsset:request', () =>
      failureOf(() => set.network.wireguard.set('nowhere', { privateKey })),
    )
    expect(messages).toMatchObject([{ actions: ['wireguard.set nowhere'], error: { code: 'ENODEV' } }])
    expect(inspect(messages, { depth: 9 })).not.toContain(privateKey)
  })
})

test('nsset:spawn reports programs, without arguments and environments', async () => {
  using set = anyonesSet(['net'])
  const messages = await during('nsset:spawn', async () => {
    await set.execFile('true', ['secret'], { env: { PATH: process.env['PATH'], SECRET: 'secret' } })
    await failureOf(() => set.execFile('/nowhere'))
  })
  const common = { set: String(set), duration: expect.any(Number) }
  expect(messages).toEqual([
    { ...common, file: 'true', pid: expect.any(Number) },
    { ...common, file: '/nowhere', error: expect.objectContaining({ code: 'ENOENT' }) },
  ])
  expect(inspect(messages, { depth: 9 })).not.toContain('secret')
})

test('nsset:unshare reports new namespaces', async () => {
  const kinds = isRoot ? (['net', 'uts'] as const) : (['user', 'net', 'uts'] as const)
  const messages = await during('nsset:unshare', () => anyonesSet(['net', 'uts']).close())
  expect(messages).toMatchObject([
    { duration: expect.any(Number), set: expect.stringMatching(/^NamespaceSet\(.*net:/) },
  ])
  expect((messages[0] as ReportBase & { kinds: string[] }).kinds.toSorted()).toEqual([...kinds].toSorted())
})

test('NODE_DEBUG=nsset prints the reports', async () => {
  const program = `
    import { NamespaceSet } from 'nsset'
    const set = await NamespaceSet.unshare(${isRoot ? "'net'" : "['user', 'net'], { mapUser: 'root' }"})
    await set.network.links.set('lo', { up: true })
    await set.execFile('true')`
  const { stderr } = await runPlainNode(program, { env: { NODE_DEBUG: 'nsset' } })
  expect(stderr).toMatch(/NSSET \d+: unshare .*net.* in NamespaceSet\(.*\): [\d.]+ ms, done/)
  expect(stderr).toMatch(/NSSET \d+: links\.set lo in NamespaceSet\(.*\): [\d.]+ ms, done/)
  expect(stderr).toMatch(/NSSET \d+: spawn true \(pid \d+\) in/)
})

test('a network says which one it is', () => {
  using set = anyonesSet(['net'])
  expect(inspect(set.network)).toBe(String(set).replace('NamespaceSet', 'Network'))
  expect(inspect(set.network)).toContain(set.id('net'))
})

test('an ActionError shows what was done before it', async () => {
  using set = anyonesSet(['net'])
  const error = await failureOf(() =>
    set.network.apply([action.links.add({ kind: 'bridge', name: 'br0' }), action.links.delete('nowhere')]),
  )
  expect(error).toBeInstanceOf(ActionError)
  expect((error as ActionError & Error).done).toEqual(['links.add br0'])
  expect(inspect(error)).toContain("done: [ 'links.add br0' ]")
  const single = await failureOf(() => set.network.links.delete('nowhere'))
  expect(single).not.toHaveProperty('done')
})
