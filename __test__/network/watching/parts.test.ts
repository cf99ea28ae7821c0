/**
 * Watching what `tc`, `bridge` and `ip nexthop` show: after each change the events leave exactly what a list has, also of what the
 * kernel changes without a notification.
 */
import type { NamespaceSet, ObjectEvent, WatchEvent, WatchedPart } from 'nsset'
import { describe, expect, test } from 'vitest'
import { ip, isMadeBy, isVm, outputOf, resultOf, tc } from '../../setup/oracles/iproute.ts'
import { anyonesSet } from '../../setup/sets/anyones-set.ts'

type Part = Exclude<WatchedPart, 'conntrack' | 'firewall'>
type Plain = Record<string, unknown>

/** What identifies an object of each part. In the table of a bridge, an address that moves to another port stays the same entry. */
const KEYS: Record<Part, (object: Plain) => unknown[]> = {
  links: ({ index }) => [index],
  addresses: ({ link, cidr }) => [link, cidr],
  routes: ({ destination, table, via, dev }) => [destination, table, via, dev],
  neighbours: ({ link, address }) => [link, address],
  rules: ({ priority, family }) => [priority, family],
  nextHops: ({ id }) => [id],
  forwardingEntries: ({ master, link, mac, vlan, dst }) => [master ?? link, master !== undefined, mac, vlan, dst],
  vlans: ({ link, id }) => [link, id],
  qdiscs: ({ link, parent }) => [link, parent],
  classes: ({ link, handle }) => [link, handle],
  filters: ({ link, parent, priority, protocol, handle }) => [link, parent, priority, protocol, handle],
}

/** An object without what changes with each packet. */
function lasting({ statistics: _, ...value }: Plain): Plain {
  const { actions } = value
  if (!Array.isArray(actions)) return value
  return { ...value, actions: actions.map(({ statistics: _, ...action }: Plain) => action) }
}

/** What a watcher has reported about a part: the events, and the objects that these leave. */
class Report {
  readonly #set: NamespaceSet
  readonly #part: Part
  readonly #objects = new Map<string, Plain>()
  readonly lines: string[] = []
  readonly #ended: Promise<void>

  constructor(set: NamespaceSet, part: Part) {
    this.#set = set
    this.#part = part
    this.#ended = this.#follow(set.network.watch(part, { existing: true }))
  }

  async #follow(events: AsyncIterable<WatchEvent>): Promise<void> {
    for await (const event of events) {
      if (event.type === 'resync') this.lines.push('resync')
      else this.#take(event as ObjectEvent)
    }
  }

  #take({ type, value }: ObjectEvent): void {
    const object = lasting(value as unknown as Plain)
    const key = JSON.stringify(KEYS[this.#part](object))
    this.lines.push(`${type} ${key}`)
    // Another destination of a VXLAN takes the place of the previous one.
    if (type === 'change' && object['dst'] !== undefined) this.#rename(object['mac'], key)
    // What is there is not added again, and what is not there does not change.
    expect([key, this.#objects.has(key)]).toEqual([key, type === 'change' || type === 'remove'])
    if (type === 'remove') this.#objects.delete(key)
    else this.#objects.set(key, object)
  }

  #rename(mac: unknown, key: string): void {
    const [before] = [...this.#objects].find(([, object]) => object['mac'] === mac) ?? []
    if (before === undefined) return
    this.#objects.set(key, this.#objects.get(before) ?? {})
    if (before !== key) this.#objects.delete(before)
  }

  /** Resolves when the events leave what a list has. */
  async isTrue(): Promise<void> {
    await expect
      .poll(async () => this.#sorted([...this.#objects.values()]), {
        timeout: 20_000,
        message: this.lines.slice(-20).join('; '),
      })
      .toEqual(await this.listed())
  }

  async listed(): Promise<Plain[]> {
    return this.#sorted(await listOf(this.#set, this.#part))
  }

  #sorted(objects: Plain[]): Plain[] {
    return objects.map(lasting).toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#set.close()
    await this.#ended
  }
}

async function listOf({ network }: NamespaceSet, part: Part): Promise<Plain[]> {
  if (part !== 'filters') return (await network[part].list()) as unknown as Plain[]
  const links = await network.links.list()
  const filters = await Promise.all(links.map(({ index }) => network.filters.list({ index })))
  return filters.flat() as unknown as Plain[]
}

const bridge = (set: NamespaceSet, words: string) => outputOf(set, 'bridge', words)

/** Two ports of a bridge and their other ends. */
async function wired(): Promise<NamespaceSet> {
  const set = anyonesSet(['net'])
  const lines = [
    'link add br0 up type bridge',
    'link add p0 up type veth peer name h0',
    'link add p1 up type veth peer name h1',
  ]
  await outputOf(
    set,
    'ip',
    '-batch -',
    `${[...lines, 'link set p0 master br0', 'link set p1 master br0'].join('\n')}\n`,
  )
  return set
}

describe('forwarding entries', () => {
  test('are reported as bridge(8) changes them, and as they move to another port', async () => {
    const set = await wired()
    await using report = new Report(set, 'forwardingEntries')
    await report.isTrue()
    const mac = '02:00:00:00:00:07'
    for (const words of [
      `fdb add ${mac} dev p0 master static`,
      `fdb replace ${mac} dev p1 master static`,
      `fdb del ${mac} dev p1 master`,
      `fdb add ${mac} dev p0 self`,
    ]) {
      await bridge(set, words)
      await report.isTrue()
    }
    // A bridge that filters VLANs has the entry once more for its default VLAN.
    const told = report.lines.filter((line) => line.includes(`"${mac}",null`)).map((line) => line.split(' ')[0])
    expect(told).toEqual(['add', 'change', 'remove', 'add'])
  })

  test('go with the port and with the bridge', async () => {
    const set = await wired()
    await using report = new Report(set, 'forwardingEntries')
    for (const words of ['link set p0 nomaster', 'link del p1', 'link del br0', 'link set h0 down']) {
      await ip(set, words)
      await report.isTrue()
    }
  })

  test('of a VXLAN can have several destinations', async ({ skip }) => {
    const set = anyonesSet(['net'])
    await using report = new Report(set, 'forwardingEntries')
    skip(!(await isMadeBy(set, 'ip', 'link add vx0 type vxlan id 7 dstport 4789')), 'this kernel has no VXLAN')
    for (const words of [
      'add 192.0.2.1',
      'append 192.0.2.2',
      'append 192.0.2.3',
      'del 192.0.2.1',
      'replace 192.0.2.4',
    ]) {
      const [verb, dst] = words.split(' ')
      // The address of frames to all can have several destinations, another one has one.
      const mac = verb === 'replace' ? '02:00:00:00:00:09' : '00:00:00:00:00:00'
      await bridge(set, `fdb ${verb} ${mac} dev vx0 dst ${dst}`)
      await report.isTrue()
    }
    await bridge(set, 'fdb replace 02:00:00:00:00:09 dev vx0 dst 192.0.2.5')
    await report.isTrue()
    expect(report.lines.filter((line) => line.includes('02:00:00:00:00:09'))).toHaveLength(2)
  })

  test('of thousands that were not read, the differences follow a resync', { timeout: 60_000 }, async () => {
    const set = await wired()
    const { network } = set
    using idle = network.watch('forwardingEntries')
    using reader = network.watch('forwardingEntries')
    const macs = Array.from({ length: 9000 }, (_, index) => index.toString(16).padStart(4, '0'))
    const lines = macs.map((end) => `fdb add 02:00:00:00:${end.slice(0, 2)}:${end.slice(2)} dev p0 master static\n`)
    await outputOf(set, 'bridge', '-batch -', lines.join(''))
    // By then all events have arrived.
    const last = `02:00:00:00:${macs.at(-1)?.slice(0, 2)}:${macs.at(-1)?.slice(2)}`
    for await (const event of reader) if (event.type !== 'resync' && event.value.mac === last) break
    const told = new Set<string>()
    let resyncs = 0
    while (told.size < macs.length) {
      const { value: event } = await idle.next()
      if (event === undefined) throw new Error(`the watcher has ended after ${told.size}`)
      if (event.type === 'resync') resyncs += 1
      else if (event.type === 'add' && event.value.mac.startsWith('02:00:00:00:')) told.add(event.value.mac)
    }
    expect(resyncs).toBeGreaterThan(0)
    set.close()
  })
})

describe('VLANs', () => {
  test('are reported one by one, also those of a range, of a port that leaves, and of the previous PVID', async ({
    skip,
  }) => {
    const set = anyonesSet(['net'])
    await using report = new Report(set, 'vlans')
    const isThere = await isMadeBy(set, 'ip', 'link add br0 up type bridge vlan_filtering 1')
    skip(!isThere, 'this kernel has no VLAN filtering of bridges')
    await ip(set, 'link add p0 up type veth peer name h0')
    await ip(set, 'link set p0 master br0')
    await report.isTrue()
    for (const words of [
      'add vid 7 dev p0 pvid untagged',
      'add vid 10-14 dev p0',
      'del vid 11-12 dev p0',
      'add vid 3 dev br0 self',
    ]) {
      await bridge(set, `vlan ${words}`)
      await report.isTrue()
    }
    const added = report.lines.filter((line) => /^add .*,1[0-4]\]$/.test(line))
    expect(added).toHaveLength(5)
    await ip(set, 'link set p0 nomaster')
    await report.isTrue()
    await ip(set, 'link del br0')
    await report.isTrue()
    expect(await report.listed()).toEqual([])
  })
})

describe('next hops', () => {
  test('are reported, also those that the kernel removes without a notification', async () => {
    const set = await wired()
    await using report = new Report(set, 'nextHops')
    for (const words of [
      'link set lo up',
      'link set h0 up',
      'link set h1 up',
      'address add 10.0.0.1/24 dev h0',
      'address add 10.1.0.1/24 dev h1',
      'nexthop add id 1 via 10.0.0.2 dev h0',
      'nexthop add id 2 via 10.0.0.3 dev h0',
      'nexthop add id 10 group 1/2',
      'nexthop replace id 1 via 10.0.0.4 dev h0',
      'nexthop del id 2',
      'nexthop add id 3 blackhole',
      'nexthop add id 4 via 10.1.0.4 dev h1',
      // Without its other end, the link has no carrier.
      'link set p0 down',
      'link set h1 down',
    ]) {
      await ip(set, words)
      await report.isTrue()
    }
    expect(await report.listed()).toMatchObject([{ id: 3, blackhole: true }])
    const events = report.lines.filter((line) => line.endsWith('[1]'))
    expect(events).toEqual(['add [1]', 'change [1]', 'remove [1]'])
  })
})

/** What is done to the queueing of a link, and goes with others without a notification. */
const CHANGES = [
  'qdisc add dev a0 root handle 1: htb default 20',
  'class add dev a0 parent 1: classid 1:1 htb rate 100mbit',
  'class add dev a0 parent 1:1 classid 1:20 htb rate 1mbit',
  'class change dev a0 parent 1:1 classid 1:20 htb rate 2mbit',
  'qdisc add dev a0 parent 1:20 handle 20: tbf rate 1mbit burst 1600 limit 3000',
  'qdisc change dev a0 parent 1:20 handle 20: tbf rate 2mbit burst 1600 limit 3000',
  'class add dev a0 parent 1:1 classid 1:30 htb rate 1mbit',
  'class add dev a0 parent 1:30 classid 1:31 htb rate 1mbit',
  'class del dev a0 classid 1:31',
  'qdisc add dev a0 clsact',
  'qdisc del dev a0 root',
  'qdisc del dev a0 clsact',
]

describe('qdiscs and classes', () => {
  test('are reported as tc(8) changes them, with what goes with them', { timeout: 60_000 }, async () => {
    const set = anyonesSet(['net'])
    await ip(set, 'link add a0 up type veth peer name b0')
    await using qdiscs = new Report(set, 'qdiscs')
    await using classes = new Report(set, 'classes')
    for (const words of CHANGES) {
      await tc(set, words)
      await qdiscs.isTrue()
      await classes.isTrue()
    }
    const events = classes.lines.filter((line) => line.endsWith('"1:20"]'))
    expect(events[0]).toMatch(/^add /)
    expect(events.at(-1)).toMatch(/^remove /)
    expect(events.filter((line) => line.startsWith('change ')).length).toBeGreaterThan(0)
  })

  test('of a link that comes up, or is deleted', async () => {
    const set = anyonesSet(['net'])
    await using qdiscs = new Report(set, 'qdiscs')
    await using classes = new Report(set, 'classes')
    for (const words of ['link add a0 type veth peer name b0', 'link set a0 up', 'link set lo up']) {
      await ip(set, words)
      await qdiscs.isTrue()
    }
    await tc(set, 'qdisc add dev a0 root handle 1: htb')
    await tc(set, 'class add dev a0 parent 1: classid 1:1 htb rate 100mbit')
    await ip(set, 'link del a0')
    await qdiscs.isTrue()
    await classes.isTrue()
    expect(await classes.listed()).toEqual([])
  })

  test('a class that carries packets is no event', async () => {
    const set = anyonesSet(['net'], { loopback: true })
    await tc(set, 'qdisc add dev lo root handle 1: htb default 1')
    await tc(set, 'class add dev lo parent 1: classid 1:1 htb rate 100mbit')
    await using classes = new Report(set, 'classes')
    await classes.isTrue()
    await set.execFile('ping', ['-c', '3', '-i', '0.01', '127.0.0.1'])
    await tc(set, 'class add dev lo parent 1: classid 1:2 htb rate 100mbit')
    await classes.isTrue()
    expect(classes.lines.filter((line) => line.startsWith('change '))).toEqual([])
    expect(
      (await set.network.classes.list('lo')).find(({ handle }) => handle === '1:1')?.statistics.packets,
    ).toBeGreaterThan(0)
  })
})

describe('filters', () => {
  test('are reported as tc(8) changes them, with those that go at once', { timeout: 60_000 }, async ({ skip }) => {
    const set = anyonesSet(['net'])
    await ip(set, 'link add a0 up type veth peer name b0')
    await tc(set, 'qdisc add dev a0 clsact')
    await using report = new Report(set, 'filters')
    const first = 'filter add dev a0 ingress prio 5 protocol ip flower dst_ip 10.0.0.1 action drop'
    const { exitCode } = await resultOf(set, 'tc', first)
    skip(exitCode !== 0 && !isVm, 'this kernel has no flower filters')
    for (const words of [
      'filter add dev a0 ingress prio 5 protocol ip flower dst_ip 10.0.0.2 action drop',
      'filter replace dev a0 ingress prio 5 protocol ip handle 1 flower dst_ip 10.0.0.3 action pass',
      'filter add dev a0 egress prio 7 matchall action drop',
      'filter del dev a0 egress prio 7',
      'filter del dev a0 ingress prio 5 protocol ip handle 1 flower',
      'filter add dev a0 ingress prio 6 protocol all u32 match u32 0 0 action drop',
      'qdisc del dev a0 clsact',
      'qdisc add dev a0 root handle 1: htb',
      'class add dev a0 parent 1: classid 1:1 htb rate 1mbit',
      'filter add dev a0 parent 1: prio 1 protocol ip flower dst_ip 10.0.0.1 classid 1:1',
      'qdisc del dev a0 root',
    ]) {
      await tc(set, words)
      await report.isTrue()
    }
    expect(await report.listed()).toEqual([])
    expect(report.lines.filter((line) => line.startsWith('change '))).toHaveLength(1)
  })
})

test('until asks again after a change of a class', async () => {
  using set = anyonesSet(['net'])
  await ip(set, 'link add a0 up type veth peer name b0')
  await tc(set, 'qdisc add dev a0 root handle 1: htb')
  const has = set.network.until(async ({ classes }) =>
    (await classes.list('a0')).some(({ handle }) => handle === '1:7'),
  )
  await tc(set, 'class add dev a0 parent 1: classid 1:7 htb rate 1mbit')
  expect(await has).toBe(true)
})
