/**
 * Events of `watch`: when they arrive, and what they cost, compared with pyroute2; and captured packets, compared with tcpdump. Root
 * only: the peers are in networks without a user namespace.
 */
import { type ChildProcess, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { NamespaceSet, type NetworkWatcher } from 'nsset'
import { compare } from '../../compare.ts'
import { endOf } from '../../fresh.ts'
import { figuresOf, microsecondsOf, type Sample } from '../../measure.ts'
import { openGo } from '../../peers/go.ts'
import { isMissing, isPresent } from '../../peers/presence.ts'
import type { PeerProgram } from '../../peers/program.ts'
import { openPython } from '../../peers/python.ts'
import type { Row } from '../../row.ts'

const EVENTS = 4_000
const PACKETS = 200_000
const SIZE = 100 - 42

export async function suite(): Promise<Row[]> {
  if (process.getuid?.() !== 0) return []
  const captured = await capture()
  return [await latency(), await cost(), ...(captured === undefined ? [] : [captured])]
}

/** From the end of a request to its event. */
async function latency(): Promise<Row> {
  await using set = await NamespaceSet.unshare('net', { loopback: true })
  using watcher = set.network.watch('addresses')
  const once = async (): Promise<number> => {
    await set.network.addresses.add('lo', '10.0.0.1/32')
    const took = await microsecondsOf(() => watcher.next())
    await set.network.addresses.delete('lo', '10.0.0.1/32')
    await watcher.next()
    return took
  }
  const sample: Sample = async () => {
    const took: number[] = []
    for (let count = 0; count < 50; count += 1) took.push(await once())
    return figuresOf(took).median
  }
  return await compare({
    name: 'watch: an event after its request has resolved',
    unit: 'µs',
    ours: sample,
    rounds: 30,
    targets: [{ of: 'ours', most: 150 }],
  })
}

/** The processor time of an event, which another program causes. */
async function cost(): Promise<Row> {
  await using set = await NamespaceSet.unshare('net', { loopback: true })
  await using python = await openPython(set)
  return await compare({
    name: `watch: processor time of one of ${EVENTS.toLocaleString('en')} events`,
    unit: 'µs',
    ours: () => ourCost(set),
    peers: { pyroute2: python && (() => costOf(set, python)) },
    rounds: 8,
    // 100,000 a minute in a tenth of a core; and half of what the peer needs.
    targets: [
      { of: 'ours', most: 60 },
      { of: 'peer', name: 'pyroute2', most: 0.5 },
    ],
  })
}

/** Addresses are added and deleted by `ip -batch`. It waits for its lines, so that its start is in no figure. */
function cause(set: NamespaceSet): () => Promise<void> {
  const child = set.spawn('ip', ['-batch', '-'], { stdio: ['pipe', 'ignore', 'inherit'] })
  const lines = Array.from(
    { length: EVENTS / 2 },
    () => 'address add 10.0.0.1/32 dev lo\naddress del 10.0.0.1/32 dev lo\n',
  )
  return async () => {
    ;(child.stdin as Writable).end(lines.join(''))
    await endOf(child)
  }
}

async function ourCost(set: NamespaceSet): Promise<number> {
  const changes = cause(set)
  using watcher = set.network.watch('addresses')
  const before = process.cpuUsage()
  await Promise.all([changes(), read(watcher)])
  const { user, system } = process.cpuUsage(before)
  return (user + system) / EVENTS
}

async function read(watcher: NetworkWatcher): Promise<void> {
  for (let count = 0; count < EVENTS; count += 1) await watcher.next()
}

async function costOf(set: NamespaceSet, python: PeerProgram): Promise<number> {
  const changes = cause(set)
  await python.ask({ do: 'events.begin', times: 1 })
  await changes()
  return await python.ask({ do: 'events.read', times: 1, count: EVENTS })
}

/** Datagrams through a veth, as fast as one processor sends them. */
async function capture(): Promise<Row | undefined> {
  const { status, stdout, stderr } = spawnSync('tcpdump', ['--version'], { encoding: 'utf8' })
  if (status === 0) isPresent('tcpdump', /version ([\d.]+)/.exec(stdout + stderr)?.[1] ?? 'unknown')
  else isMissing('tcpdump', 'it is not installed')
  await using set = await NamespaceSet.unshare('net')
  await set.network.links.add({
    ...{ kind: 'veth', name: 'a', up: true, addresses: ['10.0.0.1/24'] },
    peer: { name: 'b', up: true },
  })
  await set.network.neighbours.add('a', { address: '10.0.0.2', mac: '02:00:00:00:00:02' })
  await using go = await openGo(set)
  if (go === undefined) return undefined
  const send = () => go.ask({ do: 'datagrams.send', times: 1, to: '10.0.0.2:9', count: PACKETS, size: SIZE })
  return await compare({
    name: `capture of ${PACKETS.toLocaleString('en')} packets of 100 bytes, sent at full speed: time for each in the file`,
    unit: 'µs',
    ours: () => captureByUs(set, send),
    peers: { tcpdump: status === 0 ? () => captureByTcpdump(set, send) : undefined },
    rounds: 6,
    targets: [{ of: 'peer', name: 'tcpdump', most: 1.11 }],
    why: 'The sender, the capture and its reader share the processors, so that the times of both contain those of the sender.',
  })
}

async function captureByUs(set: NamespaceSet, send: () => Promise<number>): Promise<number> {
  const packets = set.network.capture('b', { filter: 'udp port 9' })
  const ended = drained(packets)
  const took = await send()
  packets.stop()
  await ended
  const { received, dropped } = packets.statistics()
  return took / (received - dropped)
}

async function drained(stream: Readable): Promise<void> {
  for await (const _ of stream) {
    // Only the reading counts: tcpdump writes to /dev/null.
  }
}

async function captureByTcpdump(set: NamespaceSet, send: () => Promise<number>): Promise<number> {
  const args = ['-i', 'b', '-w', '/dev/null', '-B', '8192', '-Z', 'root', 'udp port 9']
  const child: ChildProcess = set.spawn('tcpdump', args, { stdio: ['ignore', 'ignore', 'pipe'] })
  const printed = child.stderr as Readable
  await once(printed, 'readable')
  const took = await send()
  child.kill('SIGINT')
  const [, captured] = /(\d+) packets captured/.exec(await text(printed)) ?? []
  return took / Number(captured)
}
