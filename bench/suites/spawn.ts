/**
 * Starting a program inside until its `'exit'`, alone, with a large heap, and many at the same time; compared with the
 * programs that enter namespaces, as children of Node.js, and with libraries of other languages, in separate processes.
 */
import { type ChildProcess, execFileSync, spawn as spawnOutside } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NamespaceSet, netns } from 'nsset'
import { bareSpawn } from '../bare.ts'
import { compare } from '../compare.ts'
import { microseconds, millisecondsOf, type Sample } from '../measure.ts'
import { openGo } from '../peers/go.ts'
import type { PeerProgram } from '../peers/program.ts'
import { openPython } from '../peers/python.ts'
import type { Row } from '../row.ts'

const isRoot = process.getuid?.() === 0
const MIB = 1024 * 1024
const AT_ONCE = 64
/** The total of those at the same time. */
const COUNT = 8 * AT_ONCE
const WHY =
  'As root, the child enters by itself. With a user namespace nsset executes two programs: a small one with separate memory, ' +
  'which enters, and then the requested one; the floor executes one. After a pause, a third of the time is the JavaScript of ' +
  'ChildProcess, most of it interpreted, another third clone(2) and execve(2), a quarter the program, and a twelfth the way ' +
  "from its end to 'exit': one thread waits for all children, and wakes the event loop."
const WHY_NAMED =
  'nsset executes two programs: a small one with separate memory, which mounts the files of the network, and then the ' +
  'requested one.'
const WHY_AT_ONCE =
  "Node.js has spawn() return when the program runs, so its one thread starts one after the other; Go's threads start on " +
  'all cores.'

/** The network's name, if it has one. */
const NAME = `nsset-bench-${process.pid}`

export async function suite(): Promise<Row[]> {
  const directory = mkdtempSync(join(tmpdir(), 'nsset-bench-'))
  chmodSync(directory, 0o755)
  // An ordinary user's network belongs to a user namespace, and cannot have a name.
  using set = isRoot
    ? await netns.create(NAME, { temporary: true })
    : await NamespaceSet.unshare(['user', 'net'], { mapUser: 'root' })
  // Go and Python cannot enter another user namespace.
  await using go = isRoot ? await openGo() : undefined
  await using python = isRoot ? await openPython() : undefined
  try {
    const noOp = compileNoOp(directory)
    return [
      await alone(set, noOp, go, python),
      ...(isRoot ? [await named(set, noOp)] : []),
      ...(await withHeap(set, noOp)),
      await manyAtOnce(set, noOp, go),
    ]
  } finally {
    rmSync(directory, { recursive: true })
  }
}

/** A program that does nothing, so that only the start is measured. */
function compileNoOp(directory: string): string {
  const program = join(directory, 'no-op')
  const options = ['-O2', '-static', '-x', 'c', '-o', program, '-']
  execFileSync('cc', options, { input: 'int main(void) { return 0; }' })
  return program
}

/** The command that starts it inside. */
function nsenterInto(set: NamespaceSet, program: string): string[] {
  const kinds = set.kinds.map((kind) => `--${kind}=${set.path(kind)}`)
  const credentials = set.has('user') ? ['--preserve-credentials'] : []
  return ['nsenter', ...credentials, ...kinds, program]
}

/** Enters like the peers: the network without the files of its name. */
function spawnInto(set: NamespaceSet, program: string, args: readonly string[] = []): ChildProcess {
  return set.spawn(program, args, { stdio: 'ignore', netnsFiles: false })
}

function alone(set: NamespaceSet, noOp: string, go?: PeerProgram, python?: PeerProgram): Promise<Row> {
  const sampleOf = (peer: PeerProgram | undefined, operation: string): Sample | undefined =>
    peer && (async () => (await peer.ask({ do: operation, times: 1, atOnce: 1, ...there(set, noOp) })) / 1_000)
  return spawning("spawn until 'exit'", set, noOp, {
    amount: 0,
    rounds: 60,
    peers: isRoot ? { netns: sampleOf(go, 'spawn'), pyroute2: sampleOf(python, 'NSPopen') } : {},
    targets: [nsenterTimes(0.25)],
  })
}

function there(set: NamespaceSet, program: string): { path: string; name: string; program: string } {
  return { path: set.path('net'), name: NAME, program }
}

/** What a fork copies grows with the live memory: Node's own child_process forks. */
async function withHeap(set: NamespaceSet, noOp: string): Promise<Row[]> {
  const ballast = Array.from({ length: 256 }, () => Buffer.alloc(MIB, 1))
  const some = await spawning("spawn until 'exit', 256 MiB of Buffers", set, noOp, {
    amount: 256,
    rounds: 20,
    targets: [nsenterTimes(0.25)],
  })
  while (ballast.length < 1024) ballast.push(Buffer.alloc(MIB, 1))
  const much = await spawning("spawn until 'exit', 1 GiB of Buffers", set, noOp, {
    amount: 1024,
    rounds: 20,
    targets: [nsenterTimes(1 / 15), { of: 'growth', most: 1.5 }],
  })
  if (ballast.length === 0) throw new Error('the ballast must live until here')
  return [some, much]
}

function nsenterTimes(most: number): Row['targets'][number] {
  return { of: 'peer', name: 'nsenter', most }
}

interface Spawning {
  amount: number
  rounds: number
  peers?: Record<string, Sample | undefined>
  targets: Row['targets']
}

function spawning(name: string, set: NamespaceSet, noOp: string, options: Spawning): Promise<Row> {
  const { amount, rounds, peers, targets } = options
  return compare({
    name,
    unit: 'ms',
    ours: () => untilExit(() => spawnInto(set, noOp)),
    floor: bareStart(noOp, 1),
    peers: { nsenter: asChild(nsenterInto(set, noOp)), ...peers },
    rounds,
    work: { series: 'spawn', of: 'MiB of live Buffers', amount },
    targets,
    why: WHY,
  })
}

/** With the files of the network's name, and a /sys that shows it. */
function named(set: NamespaceSet, noOp: string): Promise<Row> {
  return compare({
    name: "spawn in a named network until 'exit'",
    unit: 'ms',
    ours: () => untilExit(() => set.spawn(noOp, [], { stdio: 'ignore', netnsFiles: true })),
    floor: bareStart(noOp, 1),
    peers: { 'ip netns exec': asChild(['ip', 'netns', 'exec', NAME, noOp]) },
    rounds: 40,
    why: WHY_NAMED,
  })
}

function bareStart(noOp: string, atOnce: number): { is: string; sample: Sample } {
  const is = 'posix_spawn(3) and waitpid(2) of the same program, outside, without pipes or a listener'
  return { is, sample: () => microseconds(() => bareSpawn(noOp, atOnce), 1) / 1_000 / atOnce }
}

function asChild([file = '', ...args]: readonly string[]): Sample {
  return () => untilExit(() => spawnOutside(file, args, { stdio: 'ignore' }))
}

function untilExit(start: () => ChildProcess): Promise<number> {
  return millisecondsOf(() => endOf(start()))
}

async function endOf(child: ChildProcess): Promise<void> {
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`${child.spawnfile} ended with code ${code}`)
}

/** Milliseconds for each. */
function manyAtOnce(set: NamespaceSet, noOp: string, go?: PeerProgram): Promise<Row> {
  const nsenter = nsenterInto(set, noOp)
  const asked = { do: 'spawn', times: COUNT, atOnce: AT_ONCE, ...there(set, noOp) }
  const xargs = `xargs -P ${AT_ONCE} nsenter`
  return compare({
    name: `spawn, ${AT_ONCE} at once, each`,
    unit: 'ms',
    ours: async () => (await millisecondsOf(() => all(() => spawnInto(set, noOp, ['x'])))) / COUNT,
    floor: bareStart(noOp, AT_ONCE),
    peers: {
      [xargs]: async () => (await millisecondsOf(() => byXargs(nsenter))) / COUNT,
      ...(isRoot && { netns: go && (async () => (await go.ask(asked)) / 1_000) }),
    },
    rounds: 10,
    targets: [{ of: 'peer', name: xargs, most: 1 }],
    why: WHY_AT_ONCE,
  })
}

async function all(start: () => ChildProcess): Promise<void> {
  let left = COUNT
  const worker = async () => {
    while (left > 0) {
      left -= 1
      await endOf(start())
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}

async function byXargs(words: readonly string[]): Promise<void> {
  const child = spawnOutside('xargs', ['-P', String(AT_ONCE), '-n', '1', ...words], {
    stdio: ['pipe', 'ignore', 'inherit'],
  })
  child.stdin?.end('x\n'.repeat(COUNT))
  await endOf(child)
}
