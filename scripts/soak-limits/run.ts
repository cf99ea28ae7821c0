/**
 * Runs every operation with almost no descriptors, processes and memory left, for long, and checks that only documented
 * errors occur, that nothing is left, and that everything works again afterwards: `npm run soak:limits`.
 *
 * `--seconds 600` is the time for all limits together, `--only descriptors,processes,pids,memory` selects some of them.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { documentedCodes } from '../faults/documented.ts'
import { APART, ROOT, SOURCES } from '../faults/session.ts'
import { type Built, buildTools } from '../faults/tools.ts'
import { type Limit, limits } from './limit.ts'
import type { Line } from './subject.ts'

type Result = Extract<Line, { calls: number }>

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '600' }, only: { type: 'string' } } })
const chosen = limits().filter(({ name }) => values.only === undefined || values.only.split(',').includes(name))
const possible = chosen.filter(({ name, skipped }) => {
  if (skipped !== undefined) console.log(`${name.padEnd(12)} skipped: ${skipped}`)
  return skipped === undefined
})
using built = buildTools(join(import.meta.dirname, 'subject.ts'))
// Another user's process reads the program, and mounts nothing.
chmodSync(built.directory, 0o755)
for (const limit of possible) await soak(built, limit, Number(values.seconds) / possible.length)

/** Continues with another process when Node.js itself has aborted one. */
async function soak(built: Built, limit: Limit, seconds: number): Promise<void> {
  const end = performance.now() + seconds * 1_000
  const problems = new Set<string>()
  const codes = new Set<string>()
  let [calls, failures, aborts] = [0, 0, 0]
  do {
    const one = await soakProcess(built, limit, (end - performance.now()) / 1_000)
    calls += one.calls
    failures += one.failures
    for (const code of one.codes) codes.add(code)
    for (const problem of one.problems) problems.add(problem)
    if (!one.isEndedByNode) break
    aborts += 1
  } while (performance.now() < end)
  if (aborts > 0 && calls < aborts) problems.add('Node.js aborted the processes before any call')
  const ended = aborts === 0 ? '' : `, ${aborts} processes aborted by Node.js`
  console.log(
    `${limit.name.padEnd(12)} ${Math.round(seconds)} s, ${calls} calls, ${failures} failed: ${[...codes].sort().join(' ')}${ended}; ${problems.size} problems`,
  )
  for (const problem of problems) console.log(`  ${problem}`)
  if (problems.size > 0) process.exitCode = 1
}

interface Soaked extends Result {
  problems: string[]
  isEndedByNode: boolean
}

async function soakProcess(built: Built, limit: Limit, seconds: number): Promise<Soaked> {
  const scratch = mkdtempSync(join(built.directory, 'scratch-'))
  const apart =
    process.getuid?.() === 0 ? ['unshare', '--mount', '--net', '--propagation', 'private', 'sh', '-c', APART, 'sh'] : []
  const words = [
    limit.name,
    scratch,
    `${seconds}`,
    JSON.stringify(limit.rooms),
    JSON.stringify(limit.without),
    JSON.stringify([...documentedCodes()]),
  ]
  limit.begin()
  process.once('exit', limit.end)
  const [file, ...args] = [...apart, ...limit.prefix, process.execPath, built.subject, ...words] as [
    string,
    ...string[],
  ]
  const child = spawn(file, args, {
    cwd: '/',
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      ...process.env,
      NODE_OPTIONS: '',
      HOME: '/tmp',
      NSSET_FAULTS_SOURCES: SOURCES,
      NSSET_FAULTS_OUTSIDE: limit.outside ?? '',
      NSSET_FAULTS_ENTRY: pathToFileURL(join(ROOT, 'dist/index.js')).href,
    },
  })
  const pid = child.pid ?? 0
  const ended = once(child, 'close')
  let output = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  const impatience = setTimeout(() => child.kill('SIGKILL'), (seconds + 60) * 1_000)
  const problems: string[] = []
  let lifting: NodeJS.Timeout | undefined
  let result: Result | undefined
  let lifted = 0
  for await (const text of createInterface({ input: child.stdout })) {
    const line = JSON.parse(text) as Line
    if ('problem' in line) problems.push(line.problem)
    else if ('calls' in line) result = line
    else {
      clearTimeout(lifting)
      if (line.room === 'lifted') {
        lifted += 1
        limit.lift(pid)
      } else limit.set(pid, line.room)
      if (line.room !== 'lifted' && limit.patience !== undefined)
        lifting = setTimeout(() => limit.lift(pid), limit.patience)
      child.stdin.write('\n')
    }
  }
  const [code, signal] = await ended
  clearTimeout(impatience)
  clearTimeout(lifting)
  limit.end()
  process.off('exit', limit.end)
  const isEndedByNode = result === undefined && limit.name === 'memory' && isNodesOwn(signal, output)
  if (!isEndedByNode && output !== '') process.stderr.write(output)
  if (result === undefined && !isEndedByNode) problems.push(`the process ended: ${signal ?? code}`)
  return { calls: lifted, failures: 0, codes: [], ...result, problems, isEndedByNode }
}

/**
 * Without memory, libuv aborts the process when epoll_ctl(2) returns ENOMEM, without a message; V8 reports that its
 * heap does not grow. Rust reports a panic, or how many bytes it could not allocate.
 */
function isNodesOwn(signal: NodeJS.Signals | null, output: string): boolean {
  if (/panicked|memory allocation of|nsset/i.test(output.replaceAll(/^\(node:.*$/gm, ''))) return false
  if (signal === 'SIGABRT') return true
  return /Fatal (JavaScript|process) .*(OOM|out of memory)/i.test(output)
}
