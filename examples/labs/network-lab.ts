/**
 * A lab in a test file: three hosts around a router, one of them behind a slow link. Runs as root, and as an
 * ordinary user: `npx tsx examples/labs/network-lab.ts`.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { action, NamespaceSet } from 'nsset'

const HOSTS = ['red', 'green', 'blue'] as const
type Host = (typeof HOSTS)[number]

const lab = {} as Record<Host | 'router', NamespaceSet>

before(async () => {
  // One user namespace owns all networks: otherwise an ordinary user could not connect them.
  using base = await NamespaceSet.unshare('user', { mapUser: 'root' })
  for (const name of ['router', ...HOSTS] as const) lab[name] = await base.unshare('net')
  await lab.router.network.apply([
    action.sysctls.set('net.ipv4.ip_forward', true),
    ...HOSTS.flatMap(wire),
    action.qdiscs.add('to-blue', { kind: 'tbf', rate: 100_000, burst: 3_000, latency: 2_000 }),
  ])
})

after(() => {
  for (const set of Object.values(lab)) set.close()
})

/** A cable from the router to a host, and the host's default route. */
function wire(host: Host) {
  const set = lab[host]
  const peer = { set, name: 'eth0', up: true, addresses: [`${addressOf(host)}/24`] }
  return [
    action.links.add({ kind: 'veth', name: `to-${host}`, up: true, addresses: [`${gatewayOf(host)}/24`], peer }),
    action.inside(set, [action.routes.add({ destination: 'default', via: gatewayOf(host) })]),
  ]
}

function addressOf(host: Host): string {
  return `10.0.${HOSTS.indexOf(host)}.2`
}

function gatewayOf(host: Host): string {
  return `10.0.${HOSTS.indexOf(host)}.1`
}

/** The output of ping(8) for one packet with this many bytes. */
async function ping(from: Host, address: string, bytes = 56): Promise<string> {
  const args = ['-n', '-c', '1', '-s', `${bytes}`, '-W', '5', address]
  return (await lab[from].execFile('ping', args, { reject: false, timeout: 20_000 })).stdout
}

/** The round trip, in milliseconds. */
function roundTrip(output: string): number {
  return Number(/time=([\d.]+)/.exec(output)?.[1])
}

test('a host reaches another one through the router', async () => {
  assert.match(await ping('red', addressOf('green')), /from 10\.0\.1\.2: .* ttl=63/)
})

test('the router reports an unknown network', async () => {
  assert.match(await ping('red', '10.0.9.2'), /From 10\.0\.0\.1 .*Net Unreachable/)
})

test('packets to the slow link wait', async () => {
  const near = roundTrip(await ping('red', addressOf('green'), 8_000))
  const far = roundTrip(await ping('red', addressOf('blue'), 8_000))
  // 3000 bytes go at once, and the others at 100 kbit/s.
  assert.ok(far > 300 && near < far, `${near} ms to green, ${far} ms to blue`)
})
