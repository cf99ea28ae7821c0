/**
 * Fails when the public types have changed and the changelog does not mention it: `npm run api:changelog -- [--since REF]`.
 *
 * It compares the report and the changelog, as they are in the current directory, with those of REF: where the branch
 * left main by default; on main itself, the last release.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { CHANGELOG, chaptersOf, UNRELEASED } from '../release/changelog.ts'
import { API_REPORT } from './place.ts'

const { values } = parseArgs({ options: { since: { type: 'string' } } })
const since = values.since ?? whereWorkBegan()
if (commitOf(since) === undefined) throw new Error(`there is no commit ${since} here: is the clone shallow?`)

if (!typesChanged()) console.log(`the public types are as they were at ${since}`)
else if (hasNews()) console.log(`the public types have changed since ${since}, and ${CHANGELOG} has news`)
else {
  console.error(
    `${API_REPORT} has changed since ${since}, and ${CHANGELOG} says nothing new below '## ${UNRELEASED}': tell users`,
  )
  process.exitCode = 1
}

function typesChanged(): boolean {
  const then = git('show', `${since}:${API_REPORT}`)
  // Without an older report there is nothing to compare with.
  return then !== undefined && then !== readFileSync(API_REPORT, 'utf8')
}

/** Whether there is a new line in what is not released, or in what was not released then. */
function hasNews(): boolean {
  const then = chaptersOf(git('show', `${since}:${CHANGELOG}`) ?? '')
  const known = new Set(then.get(UNRELEASED)?.split('\n'))
  const chapters = [...chaptersOf(readFileSync(CHANGELOG, 'utf8'))]
  return chapters
    .filter(([version]) => version === UNRELEASED || !then.has(version))
    .some(([, text]) => text.split('\n').some((line) => line !== '' && !line.startsWith('#') && !known.has(line)))
}

function whereWorkBegan(): string {
  const head = commitOf('HEAD')
  const main = commitOf('origin/main') ?? commitOf('main')
  const fork = main === undefined ? undefined : git('merge-base', 'HEAD', main)?.trim()
  if (fork !== undefined && fork !== head) return fork
  return git('describe', '--tags', '--abbrev=0', '--match=v[0-9]*')?.trim() ?? 'HEAD'
}

function commitOf(ref: string): string | undefined {
  return git('rev-parse', '--verify', '--quiet', `${ref}^{commit}`)?.trim()
}

/** What git prints, unless it fails. */
function git(...args: string[]): string | undefined {
  const { status, stdout, error } = spawnSync('git', args, { encoding: 'utf8', timeout: 60_000 })
  if (error !== undefined) throw error
  return status === 0 ? stdout : undefined
}
