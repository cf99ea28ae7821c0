/**
 * Two hosts and a switch, each with its own network, a web server on one and a client on the other. Their cables
 * have latency and a limited rate, if the kernel supports that. Runs as root, and as an ordinary user.
 */
import { ActionError, action, type NamespaceChildProcess, NamespaceSet } from 'nsset'
import { draw } from './picture.ts'
import { bold, say, verdict } from './terminal.ts'

/** Milliseconds, in each direction. */
const LATENCY = 20
/** Mbit/s. */
const RATE = 50
/** The number of small requests that are timed. */
const REQUESTS = 21
/** Bytes of the large answer. */
const LARGE = 16_000_000

/** The measurements of the client. */
interface Measured {
  /** Milliseconds of each small request. */
  roundTrips: number[]
  /** The large answer: its milliseconds and bytes. */
  large: { took: number; bytes: number }
}

const ALICE = { name: 'alice', link: 'eth0', address: '10.0.0.1', runs: 'HTTP client' }
const BOB = { name: 'bob', link: 'eth0', address: '10.0.0.2', runs: 'HTTP server' }

export async function showTwoHosts(): Promise<void> {
  console.log(bold('\nTwo hosts and a switch, each a network of its own\n'))
  const start = performance.now()
  // One user namespace owns all three: otherwise an ordinary user could not connect them.
  using base = await NamespaceSet.unshare('user', { mapUser: 'root' })
  using hub = await base.unshare('net')
  using alice = await base.unshare('net')
  using bob = await base.unshare('net')

  /** A cable from a port of the switch to a host; the host's end is created in the host's network. */
  const cable = (name: string, set: NamespaceSet, { link, address }: typeof ALICE) => {
    const peer = { name: link, set, up: true, addresses: [`${address}/24`] }
    return action.links.add({ kind: 'veth', name, master: 'br0', up: true, peer })
  }
  const noCables = await whyNot(
    hub.network.apply([
      action.links.add({ kind: 'bridge', name: 'br0', up: true }),
      cable('to-alice', alice, ALICE),
      cable('to-bob', bob, BOB),
    ]),
  )
  const took = performance.now() - start
  if (noCables !== undefined) return say('not here', noCables)

  // A queueing discipline applies to outgoing packets: the hosts delay, and the switch limits the rate.
  const noLatency = await whyNot(
    alice.network.qdiscs.add(ALICE.link, { kind: 'netem', latency: LATENCY }),
    bob.network.qdiscs.add(BOB.link, { kind: 'netem', latency: LATENCY }),
  )
  const noRate = await whyNot(
    hub.network.apply([
      action.qdiscs.add('to-alice', { kind: 'tbf', rate: RATE * 1e6 }),
      action.qdiscs.add('to-bob', { kind: 'tbf', rate: RATE * 1e6 }),
    ]),
  )

  draw(ALICE, 'br0', BOB, {
    latency: noLatency === undefined ? `${LATENCY} ms` : '',
    rate: noRate === undefined ? `${RATE} Mbit/s` : '',
  })
  console.log()
  say('made in', columns(`${took.toFixed(1)} ms`, 'four namespaces, a bridge, two cables'))
  if (noLatency !== undefined) say('no latency', noLatency)
  if (noRate !== undefined) say('no rate', noRate)
  report(await measure(alice, bob), noLatency === undefined, noRate === undefined)
}

/** Prints why the kernel cannot do it, if it lacks such a kind of link or queueing discipline. */
async function whyNot(...doing: Promise<unknown>[]): Promise<string | undefined> {
  try {
    await Promise.all(doing)
    return undefined
  } catch (error) {
    if (error instanceof ActionError && ['EOPNOTSUPP', 'ENOENT'].includes(error.code)) return error.message
    throw error
  }
}

/** Runs the server in one host, and in the other a client that sends requests. Both are Node.js, inside, rootless. */
async function measure(alice: NamespaceSet, bob: NamespaceSet): Promise<Measured> {
  await using server = run(bob, 'server', BOB.address, `${LARGE}`)
  await message(server)
  await using client = run(alice, 'client', `http://${BOB.address}`, `${REQUESTS}`)
  return (await message(client)) as Measured
}

function run(set: NamespaceSet, program: string, ...args: string[]): NamespaceChildProcess {
  // Long enough for an emulated processor, too.
  const timeout = 120_000
  const options = { execArgv: [], deathSignal: 'SIGKILL', timeout, killSignal: 'SIGKILL' } as const
  return set.fork(new URL(`${program}.js`, import.meta.url), args, options)
}

/** The first message of a process. */
function message(child: NamespaceChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    child.once('message', resolve).once('error', reject)
    child.once('exit', (code, signal) => reject(new Error(`the program inside ended with ${signal ?? code}`)))
  })
}

/** Prints the measurements; an answer that is truncated, or faster than its cables, makes the demo fail. */
function report({ roundTrips, large }: Measured, isLate: boolean, isSlow: boolean): void {
  const median = roundTrips.toSorted((a, b) => a - b)[REQUESTS >> 1] ?? 0
  const rate = (large.bytes * 8e-3) / large.took
  const late = isLate ? `, ${verdict(median >= 2 * LATENCY, 'as it should be', 'TOO FAST')}` : ''
  const isRight = large.bytes === LARGE && (!isSlow || rate <= 1.05 * RATE)
  say('round trip', columns(`${median.toFixed(1)} ms`, `median of ${REQUESTS} requests${late}`))
  say(
    'throughput',
    columns(`${rate.toFixed(1)} Mbit/s`, `${LARGE / 1e6} MB at once, ${verdict(isRight, 'as it should be', 'WRONG')}`),
  )
}

function columns(measured: string, of: string): string {
  return `${bold(measured.padEnd(15))}${of}`
}
