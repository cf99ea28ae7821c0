/** The workflows run what everyone can run: existing scripts of the project, with actions pinned to commits. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const WORKFLOWS = join(ROOT, '.github/workflows')

const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> }
const workflows = readdirSync(WORKFLOWS).map((name) => ({ name, text: readFileSync(join(WORKFLOWS, name), 'utf8') }))

/** Setup of a machine, without logic of the project. */
const PREPARES = [
  /^npm install$/,
  /^rustup (toolchain install|target add) /,
  /^cargo install \S+ --locked --version /,
  /^sysctl -w kernel\.apparmor_restrict_unprivileged_userns=0$/,
]
/** A single command. */
const COMMANDS = [/^npm test$/, /^cargo test --workspace$/, /^git diff --exit-code -- /, /^gh release create /]

/** The command of `run:`, without `sudo`, which has its own search path, unless with `env`. */
function commandsIn(text: string): string[] {
  const runs = [...text.matchAll(/^ *(?:- )?run: *(.*)$/gm)].map(([, command = '']) => command)
  return runs.map((command) => command.replace(/^sudo (--\S+ )*(env )?/, ''))
}

/** Why a command does not belong in a workflow, or undefined. */
function wrong(command: string): string | undefined {
  const [, script] = /^npm run (?:--silent )?(\S+)/.exec(command) ?? []
  if (script !== undefined) return script in scripts ? undefined : `package.json has no script '${script}'`
  if (command.startsWith('.ci/')) {
    const file = join(ROOT, command)
    return existsSync(file) && statSync(file).mode & 0o100 ? undefined : 'no such program'
  }
  return [...PREPARES, ...COMMANDS].some((known) => known.test(command)) ? undefined : 'not a script of the project'
}

describe.each(workflows)('$name', ({ text }) => {
  const commands = commandsIn(text)

  test.runIf(commands.length > 0)('runs existing scripts, and nothing else', () => {
    const found = commands.map((command) => ({ command, wrong: wrong(command) }))
    expect(found.filter((each) => each.wrong !== undefined)).toEqual([])
  })

  test('pins actions to commits, with the version', () => {
    const used = [...text.matchAll(/uses: *(.*)$/gm)].map(([, action = '']) => action)
    expect(used.length).toBeGreaterThan(0)
    for (const action of used) {
      expect(action).toMatch(/^(\.\/\.github\/workflows\/[\w-]+\.yml|[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)$/)
    }
  })

  test('has read permission only, unless a job requests more, and a time limit', () => {
    expect(text).toMatch(/^permissions:\n {2}contents: read\n(?! )/m)
    const jobs = (text.split(/^jobs:\n/m)[1] ?? '').split(/^ {2}(?=[\w-]+:$)/m).slice(1)
    const endless = jobs.filter((job) => !/^ {4}(timeout-minutes: \d+|uses: \.\/)/m.test(job))
    expect(jobs.length).toBeGreaterThan(0)
    expect(endless).toEqual([])
  })
})

test('an action has the same commit everywhere', () => {
  const used = workflows.flatMap(({ text }) => [...text.matchAll(/uses: *([\w-]+\/[\w-]+)(@.*)$/gm)])
  const commits = new Map<string, Set<string>>()
  for (const [, action = '', commit = ''] of used) commits.set(action, (commits.get(action) ?? new Set()).add(commit))
  expect([...commits].filter(([, { size }]) => size > 1)).toEqual([])
})

test('a command that is not a script of the project is reported', () => {
  expect(commandsIn('    steps:\n      - run: sudo --preserve-env=PATH npm run gone -- x\n        run: |\n')).toEqual([
    'npm run gone -- x',
    '|',
  ])
  expect(wrong('npm run gone -- x')).toBe("package.json has no script 'gone'")
  expect(wrong('.ci/gone')).toBe('no such program')
  expect(wrong('|')).toBe('not a script of the project')
  expect(wrong('npm run lint')).toBeUndefined()
})
