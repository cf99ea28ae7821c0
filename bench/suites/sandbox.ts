/**
 * A program in a box: one that exists, one that is created for it, with a large heap, and fifty at the same time; compared
 * with bubblewrap as a child of Node.js, with srt, and with the same program outside.
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Sandbox } from 'nsset/sandbox'
import { compare } from '../compare.ts'
import { millisecondsOf, type Sample } from '../measure.ts'
import { isMissing, isPresent } from '../peers/presence.ts'
import { findSrt } from '../peers/srt.ts'
import type { Row } from '../row.ts'

const run = promisify(execFile)
const PROGRAM = '/bin/true'
const MIB = 1024 * 1024
const AT_ONCE = 50

/** What a box has by default, as far as bubblewrap has it. */
const BOX = '--unshare-all --die-with-parent --new-session --cap-drop ALL --ro-bind / / --dev /dev --proc /proc'.split(
  ' ',
)
const EMPTY = ['/tmp', '/var/tmp', '/run'].flatMap((path) => ['--tmpfs', path])

const OUTSIDE = { is: 'child_process.execFile of the program', sample: () => millisecondsOf(() => run(PROGRAM)) }
// By `perf` and the trace points of system calls, of the quickest of 60 boxes.
const WHY_NEW =
  'In ms: some 30 mounts, 0.6, and beside them the network, 0.6; the start of the first helper with its id maps, 0.3; the paths to hide, ' +
  '0.2; the options in JavaScript, 0.4; the program, which a second helper starts, 0.8, and which runs for 0.5 as outside; the end of ' +
  'PID 1 with its mounts, 0.2. bubblewrap here hides nothing, and has no filter of system calls.'
const WHY_MANY =
  'All processors are busy: for each box, the kernel works about 3 ms, a third of it for the network and its end, and Node.js about 3 ' +
  'on the one thread that starts all programs.'
const WHY_BETWEEN =
  'The floor and bwrap are started by fork(2), which write-protects all pages of Node.js: whatever runs next, takes page faults for those that ' +
  'it writes to. Without a fork in between, 1 GiB of Buffers makes no difference.'
const WHY_IN = 'The helper enters six namespaces, and installs the filter of system calls.'

export async function suite(): Promise<Row[]> {
  const directory = mkdtempSync(join(tmpdir(), 'nsset-bench-'))
  try {
    const bwrap = await findBwrap()
    const srt = findSrt(directory)
    return [
      await inBox('execFile in a box', bwrap, 40),
      await inNewBox('create a box, execFile, close', bwrap, srt),
      await manyAtOnce(bwrap),
      ...(await withHeap(bwrap)),
    ]
  } finally {
    rmSync(directory, { recursive: true })
  }
}

async function findBwrap(): Promise<Sample | undefined> {
  const args = [...BOX, ...EMPTY, PROGRAM]
  try {
    await run('bwrap', args)
    const { stdout } = await run('bwrap', ['--version'])
    isPresent('bwrap', stdout.trim().split(' ').at(-1) ?? '')
  } catch (error) {
    isMissing('bwrap', (error as Error).message)
    return undefined
  }
  return () => millisecondsOf(() => run('bwrap', args))
}

async function inBox(name: string, bwrap: Sample | undefined, rounds: number): Promise<Row> {
  await using box = await Sandbox.create()
  return await compare({
    name,
    unit: 'ms',
    ours: () => millisecondsOf(() => box.execFile(PROGRAM)),
    floor: OUTSIDE,
    peers: { bwrap },
    rounds,
    targets: [
      { of: 'floor', most: 1.15 },
      { of: 'peer', name: 'bwrap', most: 0.4 },
    ],
    why: WHY_IN,
  })
}

async function create(): Promise<void> {
  await using box = await Sandbox.create()
  await box.execFile(PROGRAM)
}

function inNewBox(name: string, bwrap: Sample | undefined, srt: string[] | undefined): Promise<Row> {
  const [command = '', ...args] = srt ?? []
  return compare({
    name,
    unit: 'ms',
    ours: () => millisecondsOf(create),
    floor: OUTSIDE,
    peers: { bwrap, srt: srt && (() => millisecondsOf(() => run(command, [...args, PROGRAM]))) },
    rounds: 20,
    targets: [
      { of: 'peer', name: 'bwrap', most: 0.55 },
      { of: 'peer', name: 'srt', most: 0.02 },
    ],
    why: WHY_NEW,
  })
}

async function withHeap(bwrap: Sample | undefined): Promise<Row[]> {
  const without = await inBoxAlone('execFile in a box, without Buffers', 0)
  const ballast = Array.from({ length: 1024 }, () => Buffer.alloc(MIB, 1))
  const much = await inBoxAlone('execFile in a box, 1 GiB of Buffers', 1024)
  const between = await inBox('execFile in a box, 1 GiB of Buffers, between forks', bwrap, 20)
  if (ballast.length === 0) throw new Error('the ballast must live until here')
  return [without, much, { ...between, targets: [], why: WHY_BETWEEN }]
}

/** No peers in turns with it: they fork this process. */
async function inBoxAlone(name: string, amount: number): Promise<Row> {
  await using box = await Sandbox.create()
  return await compare({
    name,
    unit: 'ms',
    ours: () => millisecondsOf(() => box.execFile(PROGRAM)),
    rounds: 40,
    work: { series: 'sandbox', of: 'MiB of live Buffers', amount },
    targets: [{ of: 'growth', most: 1.2 }],
  })
}

function manyAtOnce(bwrap: Sample | undefined): Promise<Row> {
  const all = (start: () => unknown) => millisecondsOf(() => Promise.all(Array.from({ length: AT_ONCE }, start)))
  return compare({
    name: `${AT_ONCE} boxes at once`,
    unit: 'ms',
    ours: () => all(create),
    floor: { is: 'child_process.execFile of as many programs', sample: () => all(() => run(PROGRAM)) },
    peers: { bwrap: bwrap && (() => all(bwrap)) },
    rounds: 6,
    targets: [{ of: 'peer', name: 'bwrap', most: 0.5 }],
    why: WHY_MANY,
  })
}
