/** The workflows run what everybody can run: scripts of the project, which are there, with actions that cannot change. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const WORKFLOWS = join(ROOT, '.github/workflows')

const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> }
const workflows = readdirSync(WORKFLOWS).map((name) => ({ name, text: readFileSync(join(WORKFLOWS, name), 'utf8') }))

/** What prepares a machine, and is no logic of ours. */
const PREPARES = [
  /^npm install$/,
  /^rustup (toolchain install|target add) /,
  /^cargo install \S+ --locked --version /,
  /^sysctl -w kernel\.apparmor_restrict_unprivileged_userns=0$/,
]
/** What is one command, here as there. */
const COMMANDS = [/^npm test$/, /^cargo test --workspace$/, /^git diff --exit-code -- /, /^gh release create /]

/** What `run:` says, without `sudo`, which finds programs by a path of its own, unless `env` does. */
function commandsIn(text: string): string[] {
  const runs = [...text.matchAll(/^ *(?:- )?run: *(.*)$/gm)].map(([, command = '']) => command)
  return runs.map((command) => command.replace(/^sudo (--\S+ )*(env )?/, ''))
}

/** Why a command does not belong into a workflow; nothing, if it does. */
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

  test.runIf(commands.length > 0)('runs scripts that are there, and nothing else of its own', () => {
    const found = commands.map((command) => ({ command, wrong: wrong(command) }))
    expect(found.filter((each) => each.wrong !== undefined)).toEqual([])
  })

  test('names actions by their commits, with the version', () => {
    const used = [...text.matchAll(/uses: *(.*)$/gm)].map(([, action = '']) => action)
    expect(used.length).toBeGreaterThan(0)
    for (const action of used) {
      expect(action).toMatch(/^(\.\/\.github\/workflows\/[\w-]+\.yml|[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)$/)
    }
  })

  test('has no right but to read, unless a job says so, and ends in time', () => {
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

test('a command that is none of the project’s is seen', () => {
  expect(commandsIn('    steps:\n      - run: sudo --preserve-env=PATH npm run gone -- x\n        run: |\n')).toEqual([
    'npm run gone -- x',
    '|',
  ])
  expect(wrong('npm run gone -- x')).toBe("package.json has no script 'gone'")
  expect(wrong('.ci/gone')).toBe('no such program')
  expect(wrong('|')).toBe('not a script of the project')
  expect(wrong('npm run lint')).toBeUndefined()
})
