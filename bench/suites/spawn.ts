/** Starting a program inside until its `'exit'`, against `nsenter` as a child of Node's, and against `xargs -P`. */
import { type ChildProcess, execFileSync, spawn as spawnOutside } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NamespaceSet } from 'nsset'
import { type Figures, interleave } from '../measure.ts'
import type { Row } from '../row.ts'

const MIB = 1024 * 1024
const AT_ONCE = 64

export async function suite(): Promise<Row[]> {
  const directory = mkdtempSync(join(tmpdir(), 'nsset-bench-'))
  chmodSync(directory, 0o755)
  using set = await netSet()
  try {
    const noOp = compileNoOp(directory)
    return [...(await oneByOne(set, noOp)), await manyAtOnce(set, noOp)]
  } finally {
    rmSync(directory, { recursive: true })
  }
}

/** An ordinary user's network is one of a user namespace. */
function netSet(): Promise<NamespaceSet> {
  return process.getuid?.() === 0
    ? NamespaceSet.unshare('net')
    : NamespaceSet.unshare(['user', 'net'], { mapUser: 'root' })
}

/** A program that does nothing, so that what is measured is the start. */
function compileNoOp(directory: string): string {
  const program = join(directory, 'no-op')
  const options = ['-O2', '-static', '-x', 'c', '-o', program, '-']
  execFileSync('cc', options, { input: 'int main(void) { return 0; }' })
  return program
}

function nsenterArguments(set: NamespaceSet, program: string): string[] {
  const kinds = set.kinds.map((kind) => `--${kind}=${set.path(kind)}`)
  return [...(set.has('user') ? ['--preserve-credentials'] : []), ...kinds, program]
}

async function oneByOne(set: NamespaceSet, noOp: string): Promise<Row[]> {
  const small = await compare(set, noOp, 200)
  const ballast = Array.from({ length: 1024 }, () => Buffer.alloc(MIB, 1))
  const large = await compare(set, noOp, 60)
  if (ballast.length === 0) throw new Error('the ballast has to live until here')
  const row = (name: string, figures: Compared, most: number): Row => ({
    name,
    unit: 'ms',
    ours: figures.ours.median,
    p95: figures.ours.p95,
    samples: figures.ours.samples,
    floor: figures.nsenter.median,
    limit: { of: 'ratio', most },
  })
  return [
    row("spawn until 'exit' (against nsenter)", small, 0.4),
    row("spawn until 'exit', 1 GiB of Buffers (against nsenter)", large, 1 / 15),
    {
      name: "spawn until 'exit', 1 GiB of Buffers (against itself, small heap)",
      unit: 'ms',
      ours: large.ours.median,
      floor: small.ours.median,
      limit: { of: 'ratio', most: 1.5 },
    },
  ]
}

interface Compared {
  ours: Figures
  nsenter: Figures
}

async function compare(set: NamespaceSet, noOp: string, rounds: number): Promise<Compared> {
  const words = nsenterArguments(set, noOp)
  const figures = await interleave(
    [
      { name: 'ours', sample: () => timed(() => set.spawn(noOp, [], { stdio: 'ignore' })) },
      { name: 'nsenter', sample: () => timed(() => spawnOutside('nsenter', words, { stdio: 'ignore' })) },
    ],
    rounds,
  )
  const [ours, nsenter] = [figures.get('ours'), figures.get('nsenter')]
  if (ours === undefined || nsenter === undefined) throw new Error('both ways were measured')
  return { ours, nsenter }
}

/** Milliseconds until it has ended. */
async function timed(start: () => ChildProcess): Promise<number> {
  const begin = process.hrtime.bigint()
  await endOf(start())
  return Number(process.hrtime.bigint() - begin) / 1e6
}

async function endOf(child: ChildProcess): Promise<void> {
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`${child.spawnfile} ended with code ${code}`)
}

/** 64 at a time, 512 in all: milliseconds for each. */
async function manyAtOnce(set: NamespaceSet, noOp: string): Promise<Row> {
  const count = 8 * AT_ONCE
  const xargs = ['-P', String(AT_ONCE), '-n', '1', 'nsenter', ...nsenterArguments(set, noOp)]
  const figures = await interleave(
    [
      { name: 'ours', sample: () => all(count, () => set.spawn(noOp, ['x'], { stdio: 'ignore' })) },
      {
        name: 'xargs',
        sample: async () => {
          const begin = process.hrtime.bigint()
          const child = spawnOutside('xargs', xargs, { stdio: ['pipe', 'ignore', 'inherit'] })
          child.stdin?.end('x\n'.repeat(count))
          await endOf(child)
          return Number(process.hrtime.bigint() - begin) / 1e6 / count
        },
      },
    ],
    10,
  )
  const { median = Number.NaN, p95 = Number.NaN, samples = 0 } = figures.get('ours') ?? {}
  return {
    name: `spawn, ${AT_ONCE} at once, each (against xargs -P ${AT_ONCE} nsenter)`,
    unit: 'ms',
    ours: median,
    p95,
    samples,
    floor: figures.get('xargs')?.median ?? Number.NaN,
    limit: { of: 'ratio', most: 1 },
  }
}

async function all(count: number, start: () => ChildProcess): Promise<number> {
  const begin = process.hrtime.bigint()
  let left = count
  const worker = async () => {
    while (left > 0) {
      left -= 1
      await endOf(start())
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  return Number(process.hrtime.bigint() - begin) / 1e6 / count
}
