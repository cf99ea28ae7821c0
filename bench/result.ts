/** The result of a run, written to a file and read from it. */
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { peersMissing, peersPresent } from './peers/presence.ts'
import { type Growth, growthOf, overFloor, type Row, ratioOf } from './row.ts'

export interface Result {
  /** The day, as YYYY-MM-DD. */
  date: string
  machine: { cpu: string; cores: number; memory: string; kernel: string; user: string }
  versions: Record<string, string>
  /** Missing peers, each with its reason. */
  missing: Record<string, string>
  rows: (Row & Computed)[]
}

interface Computed {
  suite: string
  /** The ratio to the fastest peer. */
  ratio?: number
  overFloor?: number
  growth?: Growth
}

/** Rows by suite. */
export function resultOf(suites: ReadonlyMap<string, Row[]>): Result {
  const rows = [...suites.values()].flat()
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: {
      cpu: cpus()[0]?.model ?? 'unknown',
      cores: cpus().length,
      memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
      kernel: release(),
      user: process.getuid?.() === 0 ? 'root' : 'an ordinary user',
    },
    versions: { nsset: version, node: process.version, ...peersPresent() },
    missing: peersMissing(),
    rows: [...suites].flatMap(([suite, own]) => own.map((row) => ({ suite, ...row, ...computed(row, rows) }))),
  }
}

function computed(row: Row, rows: readonly Row[]): Omit<Computed, 'suite'> {
  const [ratio, times, growth] = [ratioOf(row), overFloor(row), growthOf(row, rows)]
  // A peer that needs no measurable time has no ratio.
  const isMeasured = ratio !== undefined && Number.isFinite(ratio)
  return { ...(isMeasured && { ratio }), ...(times && { overFloor: times }), ...(growth && { growth }) }
}

export function writeResult(path: string, result: Result): void {
  writeFileSync(path, `${JSON.stringify(result, roundedTo4, 2)}\n`)
}

export function readResult(path: string | URL): Result {
  return JSON.parse(readFileSync(path, 'utf8')) as Result
}

/** More digits are not significant. */
function roundedTo4(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value
}
