/** The subordinate ids of this user: subuid(5), subgid(5). */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

export interface IdRange {
  start: number
  count: number
}

/** The first range in the file, if any. */
export function firstRange(file: '/etc/subuid' | '/etc/subgid'): IdRange | undefined {
  const name = execFileSync('id', ['-un'], { encoding: 'utf8', timeout: 10_000 }).trim()
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
  const [, start, count] = lines.find(([owner]) => owner === name || owner === String(process.getuid?.())) ?? []
  return start === undefined ? undefined : { start: Number(start), count: Number(count) }
}

/** The same for a test that an ordinary user can only run with a range. */
export function ownRange(file: '/etc/subuid' | '/etc/subgid'): IdRange {
  const range = firstRange(file)
  if (range === undefined) throw new Error(`this test needs a range in ${file} for the user who runs it`)
  return range
}
