/**
 * A lab in a test file: two sites with five hosts, and a router each, that two lines connect. It has failover, policy routing,
 * shaped classes, address translation, and starts no program. Runs as root, and as an ordinary user:
 * `npx tsx examples/labs/failover-lab.ts`.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { buffer, text } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import { action, firewall, NamespaceSet } from 'nsset'

const HOSTS = { desk: '10.1.0.11', phone: '10.1.0.12', archive: '10.1.0.13', web: '10.2.0.11', store: '10.2.0.12' }
type Host = keyof typeof HOSTS

/** The network of each router's site, its address for the other site, and its end of the lines: 10.9.LINE.END. */
const ROUTERS = {
  left: { site: '10.1.0', outside: '10.3.0.1', end: 1, other: 'right' },
  right: { site: '10.2.0', outside: '10.3.0.2', end: 2, other: 'left' },
} as const
type Router = keyof typeof ROUTERS

const LINES = { main: 1, spare: 2 }
type Line = keyof typeof LINES

/** The id of the next hop object of all packets to the other site. */
const ACROSS = 1
/** The mark and the routing table of packets that take the spare line in any case, and their class there. */
const BULK = { mark: 20, class: '1:20', rate: 4_000_000 }

const lab = {} as Record<Host | Router, NamespaceSet>
const ended = new AbortController()
let guards: Promise<void>[] = []

before(async () => {
  // One user namespace owns all networks: otherwise an ordinary user could not connect them.
  using base = await NamespaceSet.unshare('user', { mapUser: 'root' })
  for (const name of [...keysOf(ROUTERS), ...keysOf(HOSTS)]) lab[name] = await base.unshare('net', { loopback: true })
  for (const router of keysOf(ROUTERS)) await lab[router].network.apply(siteOf(router))
  await lab.left.network.apply([...layLine('main'), ...layLine('spare'), ...translate(), ...steerBulk(), ...shape()])
  await lab.right.network.firewall.replace(
    'publish',
    firewall.publish({ port: 8080, to: { host: HOSTS.store, port: 80 } }),
  )
  guards = keysOf(ROUTERS).map((router) => guard(router))
  await everyRouterUses('main')
})

after(async () => {
  ended.abort()
  await Promise.allSettled(guards)
  for (const set of Object.values(lab)) set.close()
})

/** A switch, which is a bridge of the router, with a cable to each host. */
function siteOf(router: Router) {
  const { outside, site } = ROUTERS[router]
  const hosts = keysOf(HOSTS).filter((host) => HOSTS[host].startsWith(site))
  return [
    action.sysctls.set('net.ipv4.ip_forward', true),
    action.addresses.add('lo', `${outside}/32`),
    action.links.add({ kind: 'bridge', name: 'lan', up: true, addresses: [`${site}.1/24`] }),
    ...hosts.flatMap((host) => {
      const peer = { set: lab[host], name: 'eth0', up: true, addresses: [`${HOSTS[host]}/24`] }
      return [
        action.links.add({ kind: 'veth', name: host, up: true, master: 'lan', peer }),
        action.inside(lab[host], [action.routes.add({ destination: 'default', via: `${site}.1` })]),
      ]
    }),
  ]
}

const endOf = (router: Router, line: Line) => `10.9.${LINES[line]}.${ROUTERS[router].end}`

function layLine(line: Line) {
  const peer = { set: lab.right, name: line, up: true, addresses: [`${endOf('right', line)}/30`] }
  // A packet can come by one line, and its answer take the other.
  const loose = action.sysctls.set(`net.ipv4.conf.${line}.rp_filter`, 2)
  return [
    action.links.add({ kind: 'veth', name: line, up: true, addresses: [`${endOf('left', line)}/30`], peer }),
    loose,
    action.inside(lab.right, [loose]),
  ]
}

/** The hosts of the left site have one address for the other site, whichever line they take. */
function translate() {
  const snat = { snat: { to: ROUTERS.left.outside } }
  const chain = { type: 'nat', hook: 'postrouting', rules: [[{ oifname: ['main', 'spare'] }, snat]] } as const
  return [action.firewall.replace('nat', { chains: { postrouting: chain } })]
}

/** The packets of the archive take the spare line, also while the main line works. */
function steerBulk() {
  const { mark } = BULK
  const rules = [[{ 'ip saddr': HOSTS.archive }, { set: { 'meta mark': mark } }]] as const
  const destination = `${ROUTERS.right.site}.0/24`
  return [
    action.firewall.replace('marks', { chains: { prerouting: { hook: 'prerouting', priority: 'mangle', rules } } }),
    action.routes.add({ destination, via: endOf('right', 'spare'), table: mark }),
    action.rules.add({ priority: 100, fwmark: mark, table: mark }),
  ]
}

/** What the store receives over the spare line gets no more than its rate, and the rest what is left. */
function shape() {
  const { class: handle, rate } = BULK
  const toStore = [{ offset: 16, value: numberOf(HOSTS.store), mask: 0xffffffff }]
  return [
    action.qdiscs.add('spare', { kind: 'htb', handle: '1:', defaultClass: 0x10 }),
    action.classes.add('spare', { kind: 'htb', handle: '1:1', rate: 20_000_000 }),
    action.classes.add('spare', { kind: 'htb', handle: '1:10', parent: '1:1', rate: 16_000_000, ceil: 20_000_000 }),
    action.classes.add('spare', { kind: 'htb', handle, parent: '1:1', rate, ceil: rate }),
    action.filters.add('spare', { kind: 'u32', parent: '1:', protocol: 'ip', matches: toStore, class: handle }),
  ]
}

/** Sends the packets for the other site over the spare line while the main line has no carrier. */
async function guard(router: Router): Promise<void> {
  const { network } = lab[router]
  const { other } = ROUTERS[router]
  const destinations = [`${ROUTERS[other].site}.0/24`, `${ROUTERS[other].outside}/32`]
  for await (const event of network.watch('links', { existing: true, signal: ended.signal })) {
    if (event.type === 'resync' || event.value.name !== 'main') continue
    const line = event.value.carrier ? 'main' : 'spare'
    await network.apply([
      action.nextHops.replace({ id: ACROSS, via: endOf(other, line), dev: line }),
      // The kernel deletes the routes of a next hop whose link goes down.
      ...destinations.map((destination) => action.routes.replace({ destination, nextHopId: ACROSS })),
    ])
  }
}

/** Resolves when packets for the other site take this line; asked again after each change of the routes. */
async function everyRouterUses(line: Line): Promise<void> {
  const signal = AbortSignal.timeout(20_000)
  const uses = keysOf(ROUTERS).map((router) => {
    const { network } = lab[router]
    const { outside } = ROUTERS[ROUTERS[router].other]
    const isUsed = async () =>
      (await network.routes.lookup(outside)).dev?.index === (await network.links.get(line)).index
    return network.until(() => isUsed().catch(() => false), { parts: 'routes', signal })
  })
  await Promise.all(uses)
}

test('the hosts of the left site have the address of their router', async () => {
  await using server = createServer((socket) => socket.end(`${socket.remoteAddress}`))
  await lab.web.network.listen(server, { host: HOSTS.web, port: 80 })
  for (const host of ['desk', 'phone', 'archive'] as const) {
    assert.equal(await text(lab[host].network.connect({ host: HOSTS.web, port: 80 })), ROUTERS.left.outside)
  }
})

test('a published port of a router leads to a server behind it', async () => {
  await using server = createServer((socket) => socket.end('the store'))
  await lab.store.network.listen(server, { host: HOSTS.store, port: 80 })
  const socket = lab.desk.network.connect({ host: ROUTERS.right.outside, port: 8080 })
  assert.equal(await text(socket), 'the store')
})

test('bulk takes the spare line, in its class and at its rate', async () => {
  await using server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.resume().once('end', () => socket.end(`${socket.bytesRead} bytes`))
  })
  await lab.store.network.listen(server, { host: HOSTS.store, port: 80 })
  const bytes = 500_000
  const capture = lab.right.network.capture('spare', { filter: `dst host ${HOSTS.store} and tcp port 80` })
  const packets = buffer(capture)
  const start = performance.now()
  const socket = lab.archive.network.connect({ host: HOSTS.store, port: 80 })
  socket.end(Buffer.alloc(bytes))
  assert.equal(await text(socket), `${bytes} bytes`)
  capture.stop()
  // pcapng, which Wireshark reads.
  assert.ok((await packets).length > bytes)
  assert.equal(capture.statistics().dropped, 0)
  // A second, but for the burst of the class.
  assert.ok(performance.now() - start > 700)
  const classes = await lab.left.network.classes.list('spare')
  assert.ok(Number(classes.find(({ handle }) => handle === BULK.class)?.statistics.bytes) > bytes)
})

test('when the main line is cut, connections go on over the spare line', async () => {
  await using server = createServer((socket) => socket.pipe(socket))
  await lab.web.network.listen(server, { host: HOSTS.web, port: 7 })
  const socket = lab.desk.network.connect({ host: HOSTS.web, port: 7 })
  const echo = async (word: string) => {
    socket.write(word)
    return `${(await once(socket, 'data'))[0]}`
  }
  assert.equal(await echo('over the main line'), 'over the main line')

  const cut = performance.now()
  await lab.right.network.links.set('main', { up: false })
  await everyRouterUses('spare')
  console.log(`over the spare line after ${(performance.now() - cut).toFixed(1)} ms`)
  assert.equal(await echo('over the spare line'), 'over the spare line')

  await lab.right.network.links.set('main', { up: true })
  await everyRouterUses('main')
  assert.equal(await echo('over the main line again'), 'over the main line again')
  socket.destroy()
})

function keysOf<T extends object>(object: T): (keyof T)[] {
  return Object.keys(object) as (keyof T)[]
}

function numberOf(address: string): number {
  return address.split('.').reduce((number, byte) => number * 256 + Number(byte), 0)
}
