/**
 * New namespaces, held and then closed, while the process has little and much live memory: a fork copies the page
 * tables of all of it. The peers that are separate programs hold as much.
 */
import { type NamespaceKind, NamespaceSet, NS, type UnshareSyncOptions } from 'nsset'
import { bareUnshareAndBack, bareUnshareByChild } from '../bare.ts'
import { type Comparison, compare } from '../compare.ts'
import { microseconds } from '../measure.ts'
import { openGo } from '../peers/go.ts'
import { openGonso } from '../peers/gonso.ts'
import { program } from '../peers/one-shot.ts'
import type { PeerProgram } from '../peers/program.ts'
import type { Row, Target } from '../row.ts'

const isRoot = process.getuid?.() === 0
const MIB = 1024 * 1024
const HEAPS = [0, 256, 1024]
const CALLS = 20
/** Of operations that fork, with much memory. */
const FEW = 2

interface Peers {
  gonso: PeerProgram | undefined
  go: PeerProgram | undefined
}

export async function suite(): Promise<Row[]> {
  await using gonso = await openGonso()
  await using go = await openGo()
  const ballast: Buffer[] = []
  const rows = new Map<string, Row[]>()
  for (const amount of HEAPS) {
    while (ballast.length < amount) ballast.push(Buffer.alloc(MIB, 1))
    for (const peer of [gonso, go]) await peer?.ask({ do: 'hold', times: 1, MiB: amount })
    for (const kinds of sorts()) {
      const name = kinds.join('+')
      rows.set(name, [...(rows.get(name) ?? []), await measure(kinds, amount, { gonso, go })])
    }
  }
  if (ballast.length === 0) throw new Error('the ballast must live until here')
  return [...rows.values()].flat()
}

/** An ordinary user creates namespaces only with its own user namespace. */
function sorts(): NamespaceKind[][] {
  const owned: NamespaceKind[][] = [['user'], ['user', 'net'], ['user', 'net', 'mnt', 'pid']]
  return isRoot ? [['uts'], ['net'], ...owned] : owned
}

function measure(kinds: NamespaceKind[], amount: number, peers: Peers): Promise<Row> {
  const name = kinds.join('+')
  const options: UnshareSyncOptions = kinds.includes('user') ? { mapUser: 'root' } : {}
  return compare({
    name: `unshareSync(${name}), close()${amount === 0 ? '' : `, ${amount} MiB of Buffers`}`,
    unit: 'µs',
    ours: () => microseconds(() => NamespaceSet.unshareSync(kinds, options).close(), CALLS),
    floor: floorOf(kinds),
    peers: peersOf(kinds, amount, peers),
    rounds: amount === 0 ? 25 : 12,
    work: { series: `unshare ${name}`, of: 'MiB of live Buffers', amount },
    targets: targetsOf(name, amount),
    ...why(kinds),
  })
}

function why(kinds: NamespaceKind[]): Pick<Row, 'why'> {
  if (kinds.includes('user')) return { why: HELPER }
  return { why: NOWHERE }
}

const NOWHERE =
  'gonso, netns and the floor move the calling thread into the namespaces and back. nsset never moves the ' +
  'JavaScript thread: it hands the work to the home thread on the same CPU, and waits: two thread switches. For a network nearly all the rest is the kernel, ' +
  'which creates and frees it.'

const HELPER =
  'The child of the bare clone(2) shares the memory of this process, so that programs inside could read it. The ' +
  'helper is a separate program: the difference is its execve(2), and the messages with its descriptors.'

function floorOf(kinds: NamespaceKind[]): NonNullable<Comparison['floor']> {
  const flags = maskOf(kinds)
  return kinds.includes('user')
    ? {
        is: 'clone(2) of a waiting child, its maps, its files',
        sample: () => microseconds(() => bareUnshareByChild(flags), CALLS),
      }
    : { is: 'unshare(2), open(2), setns(2) back', sample: () => microseconds(() => bareUnshareAndBack(flags), CALLS) }
}

function maskOf(kinds: NamespaceKind[]): number {
  return kinds.reduce((mask, kind) => mask | NS[kind.toUpperCase() as keyof typeof NS], 0)
}

function peersOf(kinds: NamespaceKind[], amount: number, { gonso, go }: Peers): NonNullable<Comparison['peers']> {
  const flags = maskOf(kinds)
  const times = kinds.includes('user') && amount > 0 ? FEW : CALLS
  const words = kinds.map((kind) => `--${kind === 'mnt' ? 'mount' : kind}`)
  if (kinds.includes('user')) words.push('--map-root-user')
  if (kinds.includes('pid')) words.push('--fork')
  return {
    // It writes a group map only as root: it does not deny setgroups(2), which an ordinary user must.
    ...(isRoot && { gonso: gonso?.sample({ do: 'Unshare', times, flags }) }),
    ...(kinds.join() === 'net' && { netns: go?.sample({ do: 'netns.New', times: CALLS }) }),
    'unshare(1)': program('unshare', ...words, 'true'),
  }
}

function targetsOf(name: string, amount: number): Target[] {
  if (name !== 'user') return []
  return amount === 0 ? [{ of: 'ours', most: 350 }] : [{ of: 'growth', most: 1.5 }]
}
