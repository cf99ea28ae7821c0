/**
 * The network of a set, beside the bare requests, `ip`, and Go's netlink. Root only: the socket of the bare requests is
 * opened inside by this thread.
 */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync } from 'node:fs'
import { setTimeout as pass } from 'node:timers/promises'
import { action, NamespaceSet } from 'nsset'
import { bareBringUp, bareDumpLinks, bareRtnetlink } from '../bare.ts'
import { type Figures, interleave, type Way } from '../measure.ts'
import { buildLinkList, LinkList } from '../peers/link-list.ts'
import type { Row } from '../row.ts'

const CABLES = 500

/** More than the kernel puts into one datagram. */
const BUFFER = 64 * 1024

export async function suite(): Promise<Row[]> {
  if (process.getuid?.() !== 0) return []
  const linkList = buildLinkList()
  return [
    await makeCables(),
    ...(await listLinks(10, 200, linkList)),
    ...(await listLinks(100, 50, linkList)),
    ...(await listLinks(1_000, 10, linkList)),
    await bringUp(),
    ...(await useFirst()),
  ]
}

async function makeCables(): Promise<Row> {
  const lines = Array.from({ length: CABLES }, (_, index) => `link add a${index} type veth peer name b${index}\n`)
  const figures = await interleave(
    [
      { name: 'ours', sample: () => inFresh(async (set) => void (await set.network.apply(cables()))) },
      { name: 'ip', sample: () => inFresh((set) => ipBatch(set, lines.join(''))) },
    ],
    15,
  )
  return {
    name: `apply of ${CABLES} veths (against ip -batch)`,
    unit: 'ms',
    ...compared(figures, 'ours', 'ip'),
    limit: { of: 'ratio', most: 1 },
  }
}

function cables(count = CABLES) {
  const add = (index: number) => action.links.add({ kind: 'veth', name: `a${index}`, peer: { name: `b${index}` } })
  return Array.from({ length: count }, (_, index) => add(index))
}

/** Milliseconds that it takes in a network of its own, which the kernel has done away with before the next. */
async function inFresh(call: (set: NamespaceSet) => Promise<void>): Promise<number> {
  using beside = await NamespaceSet.unshare('net')
  const set = await NamespaceSet.unshare('net')
  const begin = process.hrtime.bigint()
  await call(set)
  const took = Number(process.hrtime.bigint() - begin) / 1e6
  // All links of a network go at once, and this one takes its other end along.
  await set.network.links.add({ kind: 'veth', name: 'last', peer: { name: 'last', set: beside } })
  set.close()
  while ((await beside.network.links.list()).length > 1) await pass(10)
  await pass(100)
  return took
}

async function ipBatch(set: NamespaceSet, lines: string): Promise<void> {
  const child = set.spawn('ip', ['-batch', '-'], { stdio: ['pipe', 'ignore', 'inherit'] })
  child.stdin.end(lines)
  await endOf(child)
}

async function endOf(child: ChildProcess): Promise<void> {
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`${child.spawnfile} ended with code ${code}`)
}

/** Lists so many links and `lo`, `times` times for each sample. */
async function listLinks(count: number, times: number, linkList: string | undefined): Promise<Row[]> {
  using set = await NamespaceSet.unshare('net')
  await set.network.apply(cables(count / 2))
  const socket = set.do(() => bareRtnetlink())
  const buffer = Buffer.alloc(BUFFER)
  await using go = linkList === undefined ? undefined : new LinkList(linkList, set)
  const ways: Way[] = [
    { name: 'ours', sample: () => medianOf(times, () => set.network.links.list()) },
    { name: 'bare', sample: () => medianOf(times, () => bareDumpLinks(socket, buffer)) },
    { name: 'ip', sample: () => microsecondsOf(() => endOf(set.spawn('ip', ['-j', 'link'], { stdio: 'ignore' }))) },
  ]
  if (go !== undefined) ways.push({ name: 'go', sample: () => go.median(times) })
  const figures = await interleave(ways, 40)
  closeSync(socket)
  const row = (against: string, floor: string, most: number): Row => ({
    name: `links.list() of ${count} (against ${against})`,
    unit: 'µs',
    ...compared(figures, 'ours', floor),
    limit: { of: 'ratio', most },
  })
  const rows = [row('a bare dump', 'bare', 3), row('ip -j link', 'ip', 1)]
  return go === undefined ? rows : [...rows, row('netlink.LinkList in Go', 'go', 0.5)]
}

async function bringUp(): Promise<Row> {
  using set = await NamespaceSet.unshare('net')
  const { index } = await set.network.links.add({ kind: 'veth', name: 'a', peer: { name: 'b', up: true } })
  const socket = set.do(() => bareRtnetlink())
  const buffer = Buffer.alloc(BUFFER)
  const figures = await interleave(
    [
      { name: 'ours', sample: () => medianOf(50, () => set.network.links.set('a', { up: true })) },
      { name: 'bare', sample: () => medianOf(50, () => bareBringUp(socket, index, buffer)) },
    ],
    60,
  )
  closeSync(socket)
  return {
    name: 'links.set(name, { up: true }) (against a bare request)',
    unit: 'µs',
    ...compared(figures, 'ours', 'bare'),
    limit: { of: 'excess', most: 150 },
  }
}

/** The first use opens the socket inside: a thread does, or the helper where there is a user namespace. */
async function useFirst(): Promise<Row[]> {
  const figures = await interleave(
    [
      { name: 'net', sample: () => firstUse(() => NamespaceSet.unshare('net')) },
      { name: 'user+net', sample: () => firstUse(() => NamespaceSet.unshare(['user', 'net'], { mapUser: 'root' })) },
    ],
    60,
  )
  const row = (kinds: string, most: number): Row => ({
    name: `first use of the network of ${kinds}`,
    unit: 'µs',
    ...measured(figures, kinds),
    limit: { of: 'ours', most },
  })
  return [row('net', 500), row('user+net', 1_500)]
}

async function firstUse(make: () => Promise<NamespaceSet>): Promise<number> {
  using set = await make()
  return await microsecondsOf(() => set.network.links.get('lo'))
}

async function medianOf(times: number, call: () => unknown): Promise<number> {
  const took: number[] = []
  for (let index = 0; index < times; index += 1) took.push(await microsecondsOf(call))
  return took.toSorted((a, b) => a - b)[Math.floor(times / 2)] ?? Number.NaN
}

async function microsecondsOf(call: () => unknown): Promise<number> {
  const begin = process.hrtime.bigint()
  await call()
  return Number(process.hrtime.bigint() - begin) / 1_000
}

function compared(figures: Map<string, Figures>, ours: string, floor: string) {
  return { ...measured(figures, ours), floor: figures.get(floor)?.median ?? Number.NaN }
}

function measured(figures: Map<string, Figures>, name: string) {
  const { median = Number.NaN, p95 = Number.NaN, samples = 0 } = figures.get(name) ?? {}
  return { ours: median, p95, samples }
}
