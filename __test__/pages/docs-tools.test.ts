/** docs/coming-from/iproute2.md and bubblewrap.md have every option, command and kind of link in the help of the installed tools. */
import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { chaptersOf, textOf } from '../../scripts/pages/pages.ts'

const PAGE = 'docs/coming-from/iproute2.md'
const BWRAP_PAGE = 'docs/coming-from/bubblewrap.md'
const rows = chaptersOf(PAGE).flatMap((chapter) => chapter.rows.map(({ name }) => name))

/** The help of a tool; ip(8) prints it to standard error, and fails. */
function helpOf(program: string, ...args: string[]): string {
  const { stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8', timeout: 10_000 })
  if (error !== undefined) throw error
  return stdout + stderr
}

/** `--mount` of `-m, --mount[=<file>]`. */
function optionsIn(help: string): string[] {
  const options = [...help.matchAll(/^ {1,5}(?:-\w[.,] )?\s*--([a-z][a-z-]*)/gm)].map(([, option = '']) => option)
  return options.filter((option) => option !== 'help' && option !== 'version')
}

describe.each(['unshare', 'nsenter', 'lsns'])('%s', (program) => {
  const options = optionsIn(helpOf(program, '--help'))

  test('the parser understands its help', () => {
    expect(options.length).toBeGreaterThan(10)
    expect(options).toContain(program === 'lsns' ? 'json' : 'mount')
  })

  test('each of its options has a row', () => {
    const described = new Set(rows.flatMap((row) => new RegExp(`^${program} --([a-z-]+)`).exec(row)?.[1] ?? []))
    expect(options.filter((option) => !described.has(option))).toEqual([])
  })
})

test('each option of bwrap has a row', () => {
  const options = [...helpOf('bwrap', '--help').matchAll(/^ +(--[a-z0-9-]+)/gm)].map(([, option]) => option)
  expect(options.length).toBeGreaterThan(50)
  const described = new Set(chaptersOf(BWRAP_PAGE).flatMap(({ rows }) => rows.map(({ name }) => name.split(' ')[0])))
  expect(
    options.filter((option) => !['--help', '--version'].includes(String(option)) && !described.has(option)),
  ).toEqual([])
})

test('each command of ip netns has a row', () => {
  const commands = [...helpOf('ip', 'netns', 'help').matchAll(/ip (?:\[-all\] )?netns ([a-z-]+)/g)].map(
    ([, name]) => name,
  )
  expect(commands).toContain('identify')
  const described = new Set(rows.flatMap((row) => /^ip netns ([a-z-]+)/.exec(row)?.[1] ?? []))
  expect(commands.filter((name) => !described.has(name as string))).toEqual([])
})

test('each kind of ip link is named', () => {
  const [, listed = ''] = /TYPE := \{([^}]*)\}/.exec(helpOf('ip', 'link', 'help')) ?? []
  const kinds = listed.split('|').map((kind) => kind.trim())
  expect(kinds).toEqual(expect.arrayContaining(['veth', 'bridge']))
  const [, chapter = ''] = /^## Kinds of link\n([\s\S]*?)^## /m.exec(textOf(PAGE)) ?? []
  const named = new Set(chapter.match(/\w+/g))
  expect(kinds.filter((kind) => !named.has(kind))).toEqual([])
})
