/** The cost of an import compared with a bare start of Node.js: time and memory; and the size on disk. */
import { execFileSync, spawnSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compare } from '../compare.ts'
import { figuresOf } from '../measure.ts'
import { findNns } from '../peers/nns.ts'
import type { Row } from '../row.ts'

const ROOT = new URL('../../', import.meta.url)
const API = new URL('dist/index.js', ROOT).href
const IMPORT = importOf(API)
const WHY_BINARY =
  '5.5 MB of it is code: besides sets, processes and networks also the packet filter, tracked connections, captures, the uplink and the ' +
  'search for namespaces. 1.3 MB of that read and write JSON, with code of its own for each type. Tables for unwinding, by which a panic ' +
  'becomes an error, have 0.8 MB. Optimised for size, it has 6.3 MB, but lists take 4 to 10 % longer (docs/development/building.md).'
const WHY_NNS =
  'nns is a small JavaScript module that runs `ip`, and loads no binary. Of 10 ms for the import of nsset, 3.5 are the binary with its ' +
  'threads (half of it is the dynamic linker), 2.4 the compilation of the core (65 KB), 1.4 its evaluation, 1.2 the text of the other parts, which ' +
  'are compiled when they are used first, and 1 is the import of any file. Of 7 MB of memory, 4.5 are pages of files: the binary, which all ' +
  'processes share, and Node.js itself; 1.2 are the heap of JavaScript, 0.3 relocated pages of the binary, and the rest threads and buffers.'

export async function suite(): Promise<Row[]> {
  const directory = findNns()
  const nns = directory && importOf(new URL('index.js', directory).href)
  return [await importing(nns), await remembering(nns), ...sizes(directory)]
}

function importOf(url: string): string {
  return `import ${JSON.stringify(url)}`
}

function importing(nns: string | undefined): Promise<Row> {
  return compare({
    name: 'start of Node.js with an import',
    unit: 'ms',
    ours: () => start(IMPORT).took,
    floor: { is: 'start of Node.js with an empty module', sample: () => start('').took },
    peers: { nns: nns === undefined ? undefined : () => start(nns).took },
    rounds: 30,
    targets: [{ of: 'excess', most: 5 }],
    why: WHY_NNS,
  })
}

function remembering(nns: string | undefined): Promise<Row> {
  const report = '; console.log(process.memoryUsage.rss())'
  const resident = (code: string) => Number(start(code + report).output) / 1e6
  return compare({
    name: 'RSS of Node.js after an import',
    unit: 'MB',
    ours: () => resident(IMPORT),
    floor: { is: 'RSS of Node.js in an empty module', sample: () => resident('') },
    peers: { nns: nns === undefined ? undefined : () => resident(nns) },
    rounds: 10,
    why: WHY_NNS,
  })
}

/** The code as a module in a separate process. */
function start(code: string): { took: number; output: string } {
  const begin = process.hrtime.bigint()
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
    timeout: 10_000,
    encoding: 'utf8',
  })
  const took = Number(process.hrtime.bigint() - begin) / 1e6
  if (child.status !== 0) throw new Error(`node ended with ${child.status}: ${child.stderr}`)
  return { took, output: child.stdout }
}

function sizes(nns: URL | undefined): Row[] {
  const name = readdirSync(fileURLToPath(ROOT)).find((each) => each.endsWith('.node'))
  if (name === undefined) throw new Error('no binary: npm run build')
  const binary = statSync(new URL(name, ROOT)).size
  return [
    {
      ...sizeRow('the binary on disk', binary),
      targets: [{ of: 'ours', most: 2.5 }],
      why: WHY_BINARY,
    },
    {
      ...sizeRow('the package on disk, with the binary of one platform', binary + unpacked()),
      peers: { nns: nns === undefined ? null : figuresOf([bytesIn(nns) / 1e6]) },
      why: WHY_NNS,
    },
  ]
}

function bytesIn(directory: URL): number {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)
}

/** The content that npm would pack: no binary is in it, since each has its own package. */
function unpacked(): number {
  const output = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts', '--offline'], {
    cwd: fileURLToPath(ROOT),
    encoding: 'utf8',
    timeout: 60_000,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const [packed] = JSON.parse(output) as { unpackedSize: number }[]
  return packed?.unpackedSize ?? Number.NaN
}

function sizeRow(name: string, bytes: number): Row {
  return { name, unit: 'MB', ours: figuresOf([bytes / 1e6]), peers: {}, targets: [] }
}
