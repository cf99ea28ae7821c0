/**
 * Writes docs/performance.md from the result of a run: `npm run performance -- result.json`. Nothing on the page is
 * written by hand, so that it has only measurements; a figure that needs an explanation has one.
 */
import type { Result } from './result.ts'
import { describeTarget, fastestPeer, measuredFor, type Target } from './row.ts'
import { growth, number } from './table.ts'

type Row = Result['rows'][number]

/** A larger ratio to the floor requires an explanation. */
const PLAIN_OVER_FLOOR = 1.5

/** The titles of the suites, in the order of the page. */
const TITLES: Record<string, string> = {
  do: 'Code inside',
  sets: 'Sets',
  unshare: 'New namespaces',
  netns: 'Named networks',
  spawn: 'Programs inside',
  pool: 'Pools',
  namespaces: 'The namespaces of a system',
  scale: 'Many networks',
  network: 'Links',
  firewall: 'Packet filter',
  sockets: 'Sockets',
  ways: 'Ways into a network, and out',
  sandbox: 'Sandboxes',
  busy: 'A busy processor',
  start: 'Import, memory, disk',
}

export function pageOf(result: Result): string {
  const unexplained = result.rows.filter((row) => isBehind(row) && row.why === undefined).map(({ name }) => name)
  if (unexplained.length > 0) throw new Error(`slower without an explanation: ${unexplained.join('; ')}`)
  const suites = Object.keys(TITLES).filter((suite) => result.rows.some((row) => row.suite === suite))
  return [
    heading(result),
    ...suites.map((suite) =>
      chapter(
        suite,
        result.rows.filter((row) => row.suite === suite),
      ),
    ),
    behind(result.rows),
    targets(result.rows),
  ].join('\n')
}

/** Slower than a peer, or far above the floor. */
function isBehind(row: Row): boolean {
  return isBehindPeer(row) || (row.overFloor ?? 0) > PLAIN_OVER_FLOOR
}

function heading({ date, machine, versions, missing, rows }: Result): string {
  const absent = Object.entries(missing).map(([name, reason]) => `- **${name}** is missing: ${reason}`)
  return `# Performance

<!-- Written by \`npm run performance\` from bench/result.json: change these. -->

nsset compared with its alternatives, on one machine, in one run. The alternatives of a row are measured in turns, in
another order each round, so that a slow machine slows all of them: compare the ratios, since the times apply to this
machine only. Figures are medians; \`npm run bench\` measures them on your machine.

- **Machine**: ${machine.cpu}, ${machine.cores} cores, ${machine.memory}, Linux ${machine.kernel}, as ${machine.user}, on ${date}.
- **Versions**: ${Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ')}.
${absent.map((line) => `${line}\n`).join('')}
\`nsset\` has its 95th percentile in brackets. The **floor** is the minimum for the operation, usually the bare system
calls, made from Rust. **× floor** and **× peer** are the ratios of the time of nsset to that of the floor and of the
fastest peer: below 1.00 nsset is faster. **Growth** is the cost of a row relative to the first of its kind, for more
work. Of ${rows.filter(({ ratio }) => ratio !== undefined).length} rows with a peer, nsset is faster than all of them in ${rows.filter(({ ratio = 2 }) => ratio <= 1).length}.
`
}

function chapter(suite: string, rows: readonly Row[]): string {
  const peers = [...new Set(rows.flatMap((row) => Object.keys(row.peers)))]
  const hasGrowth = rows.some((row) => row.growth !== undefined)
  const table = tableOf(
    ['operation', 'nsset', 'floor', '× floor', ...peers, '× peer', ...(hasGrowth ? ['growth'] : [])],
    rows.map((row) => [
      row.name,
      `${number(row.ours.median)} ${row.unit}${row.ours.samples > 1 ? ` (${number(row.ours.p95)})` : ''}`,
      number(row.floor?.median),
      ratio(row.overFloor),
      ...peers.map((peer) => (row.peers[peer] === null ? 'missing' : number(row.peers[peer]?.median))),
      ratio(row.ratio),
      ...(hasGrowth ? [growth(row)] : []),
    ]),
  )
  return `## ${TITLES[suite]}\n\n${table}${floors(rows)}${reasons(rows)}`
}

const ratio = (value: number | undefined) => (value === undefined ? '' : value.toFixed(2))

function floors(rows: readonly Row[]): string {
  const lines = groupedBy(rows, ({ floor }) => floor?.is).map(([is, of]) => `- ${namesOf(of)}: ${is}.`)
  return lines.length === 0 ? '' : `\nThe floors:\n\n${lines.join('\n')}\n`
}

function reasons(rows: readonly Row[]): string {
  const lines = groupedBy(rows, ({ why }) => why).map(([why, of]) => `- ${namesOf(of)}: ${why}`)
  return lines.length === 0 ? '' : `\nWhy:\n\n${lines.join('\n')}\n`
}

/** The rows with a text, by that text. */
function groupedBy(rows: readonly Row[], text: (row: Row) => string | undefined): [string, Row[]][] {
  const groups = new Map<string, Row[]>()
  for (const row of rows) {
    const shared = text(row)
    if (shared !== undefined) groups.set(shared, [...(groups.get(shared) ?? []), row])
  }
  return [...groups]
}

const namesOf = (rows: readonly Row[]) => rows.map(({ name }) => `*${name}*`).join(', ')

function behind(rows: readonly Row[]): string {
  const lines = groupedBy(rows.filter(isBehindPeer), ({ why }) => why).map(([why, of]) => {
    const figures = of.map((row) => `*${row.name}* (${ratio(row.ratio)} times ${fastestPeer(row)?.name})`)
    return `- ${figures.join(', ')}: ${why}`
  })
  return `## Where nsset is slower than a peer\n\n${lines.length === 0 ? 'Nowhere, in this run.' : lines.join('\n')}\n`
}

const isBehindPeer = ({ ratio = 0 }: Row) => ratio > 1

function targets(rows: readonly Row[]): string {
  const lines = rows.flatMap((row) => row.targets.map((target) => lineOf(target, row, rows)))
  return `## Targets\n\nThe target of each operation, and its result in this run.\n\n${tableOf(['operation', 'target', 'measured', 'met'], lines)}`
}

function lineOf(target: Target, row: Row, rows: readonly Row[]): string[] {
  const measured = measuredFor(target, row, rows)
  const met = measured === undefined ? 'not measured' : measured <= target.most ? 'yes' : '**no**'
  return [row.name, describeTarget(target, row), number(measured), met]
}

function tableOf(titles: readonly string[], lines: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`
  return [line(titles), `|${'---|'.repeat(titles.length)}\n`, ...lines.map(line)].join('')
}

/** The result file, and the page. */
export const RESULT = new URL('result.json', import.meta.url)
export const PAGE = new URL('../docs/performance.md', import.meta.url)
