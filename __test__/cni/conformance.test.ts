/** What the CNI specification requires of a plugin, asked of examples/cni-plugin.ts as a runtime asks. */
import { once } from 'node:events'
import { readdirSync, symlinkSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CniHost, type Container, cniHost } from '../setup/cni/cni-host.ts'
import { nft } from '../setup/oracles/firewall/nft.ts'
import { ip, ipAddresses, ipLink, ipLinks, ipRoutes, namesOf } from '../setup/oracles/iproute.ts'
import { LONG } from '../setup/pages/example.ts'

let host: CniHost
beforeAll(async () => {
  host = await cniHost()
}, LONG)
afterAll(() => host[Symbol.asyncDispose]())

const PORTS = { runtimeConfig: { portMappings: [{ hostPort: 8080, containerPort: 80, protocol: 'tcp' }] } }

async function added(id: string, changes: object = {}) {
  const container = await host.container(id)
  const { value, code } = await host.run('ADD', container, changes)
  expect({ value, code }).toMatchObject({ code: 0 })
  return { container, result: value }
}

/** What belongs to containers: cables, tables, reservations. */
async function leftovers() {
  const links = (await namesOf(host.set)).filter((name) => name.startsWith('veth'))
  const tables = (await nft(host.set, 'list', 'tables')).trim().split('\n')
  return { links, tables: tables.filter((table) => /cni-lab-/.test(table)), addresses: pool() }
}

const pool = () => readdirSync(host.directory.file('pool/lab'))
const NOTHING = { links: [], tables: [], addresses: [] }

test('VERSION: the versions that the plugin has', async () => {
  expect(await host.run('VERSION', {}, { cniVersion: '1.0.0' })).toEqual({
    value: { cniVersion: '1.0.0', supportedVersions: ['1.0.0', '1.1.0'] },
    code: 0,
  })
})

test(
  'ADD: the container has what the result says',
  async () => {
    const { container, result } = await added('adds')
    const [inner, bridge] = [await ipLink(container.set, 'eth0'), await ipLink(host.set, 'cni0')]
    const outer = (await ipLinks(host.set)).find(({ ifname }) => ifname.startsWith('veth'))
    expect(result).toMatchObject({
      cniVersion: '1.1.0',
      interfaces: [
        { name: 'cni0', mac: bridge.address },
        { name: outer?.ifname, mac: outer?.address },
        { name: 'eth0', mac: inner.address, sandbox: container.netns },
      ],
      ips: [
        { gateway: '10.88.0.1', interface: 2 },
        { gateway: 'fd00:88::1', interface: 2 },
      ],
      routes: [
        { dst: '0.0.0.0/0', gw: '10.88.0.1' },
        { dst: '::/0', gw: 'fd00:88::1' },
      ],
    })
    expect(outer).toMatchObject({ master: 'cni0', operstate: 'UP' })
    const addresses = await ipAddresses(container.set, 'eth0')
    expect(addresses.map(({ local, prefixlen }) => `${local}/${prefixlen}`)).toEqual(
      result.ips?.map(({ address }) => address),
    )
    expect(addresses.some(({ tentative }) => tentative)).toBe(false)
    expect((await ipRoutes(container.set)).map(({ dst, gateway }) => [dst, gateway])).toEqual([
      ['default', '10.88.0.1'],
    ])
    expect((await ipRoutes(container.set, '-6')).some(({ gateway }) => gateway === 'fd00:88::1')).toBe(true)
    expect((await ipAddresses(host.set, 'cni0')).map(({ local }) => local)).toEqual(['10.88.0.1', 'fd00:88::1'])
    expect((await host.run('DEL', container)).code).toBe(0)
  },
  LONG,
)

test(
  'ADD of what is attached is an error, and leaves it as it is',
  async () => {
    const { container, result } = await added('twice', PORTS)
    const before = await leftovers()
    expect(await host.run('ADD', container, PORTS)).toMatchObject({
      code: 1,
      value: { code: 101, cniVersion: '1.1.0' },
    })
    expect(await leftovers()).toEqual(before)
    expect((await host.run('CHECK', container, { ...PORTS, prevResult: result })).code).toBe(0)
    expect((await host.run('DEL', container)).code).toBe(0)
  },
  LONG,
)

test(
  'ADD fails if the name of the link is taken in the container, and leaves nothing',
  async () => {
    const container = await host.container('taken')
    await ip(container.set, 'link add eth0 type bridge')
    const { value, code } = await host.run('ADD', container, PORTS)
    expect({ code, value }).toMatchObject({ code: 1, value: { code: 5, msg: expect.stringMatching(/EEXIST/) } })
    expect(await leftovers()).toEqual(NOTHING)
    expect((await ipLink(container.set, 'eth0')).linkinfo?.info_kind).toBe('bridge')
  },
  LONG,
)

test(
  'DEL succeeds again and again, also when the network or a part of the attachment is gone',
  async () => {
    const { container } = await added('goes', PORTS)
    expect((await leftovers()).addresses).toHaveLength(2)
    await ip(host.set, `link del ${(await leftovers()).links[0]}`)
    for (const _ of [1, 2]) expect(await host.run('DEL', container, PORTS)).toEqual({ value: {}, code: 0 })
    expect(await leftovers()).toEqual(NOTHING)
    const other = await added('ends')
    await other.container.end()
    for (const netns of [other.container.netns, undefined]) {
      expect(await host.run('DEL', { ...other.container, ...(netns ? { netns } : {}) })).toEqual({ value: {}, code: 0 })
    }
    expect(await host.run('DEL', { id: 'never-there' })).toEqual({ value: {}, code: 0 })
    expect(await leftovers()).toEqual(NOTHING)
  },
  LONG,
)

describe('CHECK', () => {
  let container: Container
  let prevResult: object
  beforeAll(async () => {
    const made = await added('checked', PORTS)
    container = made.container
    prevResult = made.result
  }, LONG)
  afterAll(async () => {
    await host.run('DEL', container)
  })
  const check = () => host.run('CHECK', container, { ...PORTS, prevResult })

  test('succeeds without output after ADD', async () => {
    expect(await check()).toEqual({ value: {}, code: 0 })
  })

  const cases: [string, RegExp, () => Promise<unknown>, () => Promise<unknown>][] = [
    [
      'an address',
      /eth0 lacks 10\.88\.0\./,
      async () => ip(container.set, `address del ${await cidr()} dev eth0`),
      async () => {
        await ip(container.set, `address add ${await cidr()} dev eth0`)
        await ip(container.set, 'route add default via 10.88.0.1')
      },
    ],
    [
      'the route',
      /the route by 10\.88\.0\.1 is missing/,
      () => ip(container.set, 'route del default'),
      () => ip(container.set, 'route add default via 10.88.0.1'),
    ],
    [
      'the port of the bridge',
      /is not a port of cni0/,
      async () => ip(host.set, `link set ${(await leftovers()).links[0]} nomaster`),
      async () => ip(host.set, `link set ${(await leftovers()).links[0]} master cni0`),
    ],
    [
      'a rule for a published port',
      /the table cni-lab-\w+ is missing or different/,
      async () => nft(host.set, 'flush', 'chain', 'inet', await portsTable(), 'prerouting'),
      async () => {},
    ],
  ]
  const cidr = async () => (prevResult as { ips: { address: string }[] }).ips[0]?.address
  const portsTable = async () => String((await leftovers()).tables[0]).replace('table inet ', '')

  test.each(cases)(
    'fails without %s',
    async (_, words, breakIt, mend) => {
      await breakIt()
      const { value, code } = await check()
      expect({ value, code }).toMatchObject({ code: 1, value: { code: 102, details: expect.stringMatching(words) } })
      await mend()
    },
    LONG,
  )

  test(
    'requires the result of ADD',
    async () => {
      expect(await host.run('CHECK', container)).toMatchObject({ code: 1, value: { code: 7 } })
    },
    LONG,
  )
})

test(
  'GC removes what the runtime does not name, also reservations of killed plugins',
  async () => {
    const [kept, lost] = [await added('kept', PORTS), await added('lost')]
    symlinkSync('killed/eth0', host.directory.file('pool/lab/10.88.0.250'))
    const valid = [{ containerID: 'kept', ifname: 'eth0' }]
    const names = { ...PORTS, 'cni.dev/valid-attachments': valid }
    expect(await host.run('GC', {}, names)).toEqual({ value: {}, code: 0 })
    const left = await leftovers()
    expect([left.links, left.tables, left.addresses].map(({ length }) => length)).toEqual([1, 1, 2])
    expect((await host.run('CHECK', kept.container, { ...PORTS, prevResult: kept.result })).code).toBe(0)
    expect(await namesOf(lost.container.set)).toEqual([])
    expect((await host.run('GC')).code).toBe(0)
    expect(await leftovers()).toEqual(NOTHING)
  },
  LONG,
)

test(
  'STATUS: ready, without a free address, and without a place for the pool',
  async () => {
    expect(await host.run('STATUS')).toEqual({ value: {}, code: 0 })
    const { container } = await added('only', { name: 'small', subnets: ['10.89.0.0/30'] })
    const small = { name: 'small', subnets: ['10.89.0.0/30'] }
    const full = { code: 1, value: { code: 50, details: 'no address is left in 10.89.0.0/30' } }
    expect(await host.run('STATUS', {}, small)).toMatchObject(full)
    const next = await host.container('one-too-many')
    expect(await host.run('ADD', next, small)).toMatchObject({ code: 1, value: { code: 100 } })
    expect((await host.run('DEL', container, small)).code).toBe(0)
    expect((await host.run('STATUS', {}, small)).code).toBe(0)
    expect(await host.run('STATUS', {}, { dataDir: '/etc/passwd' })).toMatchObject({ code: 1, value: { code: 50 } })
  },
  LONG,
)

describe('errors have the codes of the specification', () => {
  test.each([
    ['an unknown version', 1, /cniVersion 9\.9\.9/, { cniVersion: '9.9.9' }],
    ['no version', 1, /cniVersion 0\.1\.0/, { cniVersion: undefined }],
    ['an unsupported field', 2, /isolate: true/, { isolate: true }],
    [
      'an unsupported protocol',
      2,
      /"sctp"/,
      { runtimeConfig: { portMappings: [{ hostPort: 1, containerPort: 1, protocol: 'sctp' }] } },
    ],
    [
      'a port out of range',
      7,
      /portMappings/,
      { runtimeConfig: { portMappings: [{ hostPort: 70_000, containerPort: 1 }] } },
    ],
    ['a subnet that is none', 7, /subnets/, { subnets: ['10.88.0.0/33'] }],
    ['a name that is a path', 7, /name/, { name: '../lab' }],
    ['text that is not JSON', 6, /not JSON/, '{'],
  ])(
    '%s: %i',
    async (_, code, words, changes) => {
      const container = await host.container('wrong')
      const answer = await host.run('ADD', container, changes as object)
      expect(answer).toMatchObject({ code: 1, value: { code, msg: expect.stringMatching(words) } })
      expect(await namesOf(container.set)).toEqual([])
    },
    LONG,
  )

  test.each([
    ['ADD without a network', 'ADD', { CNI_CONTAINERID: 'some' }, 4, /CNI_NETNS/],
    ['DEL without an id', 'DEL', {}, 4, /CNI_CONTAINERID/],
    ['a name of a link that is a path', 'DEL', { CNI_CONTAINERID: 'some', CNI_IFNAME: '../eth0' }, 4, /CNI_IFNAME/],
    ['an unknown command', 'PLUG', {}, 4, /CNI_COMMAND/],
    ['a network that does not exist', 'ADD', { CNI_CONTAINERID: 'some', CNI_NETNS: '/run/netns/none' }, 3, /CNI_NETNS/],
    ['a file that is not a network', 'ADD', { CNI_CONTAINERID: 'some', CNI_NETNS: '/etc/passwd' }, 3, /CNI_NETNS/],
    ['the network of the host', 'ADD', { CNI_CONTAINERID: 'some', CNI_NETNS: '/proc/self/ns/net' }, 4, /CNI_NETNS/],
  ])(
    '%s',
    async (_, command, environment, code, words) => {
      const answer = await host.run(command, {}, {}, environment)
      expect(answer).toMatchObject({ code: 1, value: { code, msg: expect.stringMatching(words) } })
      expect(await leftovers()).toEqual(NOTHING)
    },
    LONG,
  )
})

test(
  'at the same time: each container has addresses of its own',
  async () => {
    const ids = ['a', 'b', 'c', 'd', 'e', 'f']
    const all = await Promise.all(ids.map((id) => added(id, PORTS)))
    const addresses = all.flatMap(({ result }) => result.ips?.map(({ address }) => address))
    expect(new Set(addresses).size).toBe(2 * ids.length)
    for (const { container } of all) expect((await ipLink(container.set, 'eth0')).operstate).toBe('UP')
    const ends = await Promise.all(all.map(({ container }) => host.run('DEL', container, PORTS)))
    expect(ends.map(({ code }) => code)).toEqual(ids.map(() => 0))
    expect(await leftovers()).toEqual(NOTHING)
  },
  LONG,
)

test(
  'killed at any time: DEL removes what there is, and ADD succeeds then',
  async () => {
    const container = await host.container('killed')
    for (const after of [50, 75, 100, 125, 150, 200, 250]) {
      const child = host.start('ADD', container)
      const exit = once(child, 'exit')
      await new Promise((resolve) => setTimeout(resolve, after))
      child.kill('SIGKILL')
      await exit
      expect(await host.run('DEL', container)).toEqual({ value: {}, code: 0 })
      expect(await leftovers()).toEqual(NOTHING)
    }
    expect((await host.run('ADD', container)).code).toBe(0)
    expect((await host.run('DEL', container)).code).toBe(0)
  },
  LONG,
)
