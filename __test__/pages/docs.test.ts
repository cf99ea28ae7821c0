/** Every block of code on every page is tested: modules and scripts run, and print what they document. */
import { execFileSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest'
import { blocksOf, isInstallation, LANGUAGES, pagesOf, type Snippet, snippetsOf } from '../../scripts/pages/pages.ts'
import { needsControllers } from '../setup/oracles/control-groups.ts'
import { startDockerd } from '../setup/oracles/dockerd.ts'
import { missingKinds } from '../setup/oracles/missing-kinds.ts'
import { compile } from '../setup/package/compile.ts'
import { runSnippet, SNIPPET_TIME_LIMIT, type SnippetHome, snippetHome } from '../setup/pages/run-snippet.ts'
import { installed } from '../setup/programs/busybox-root.ts'
import { asRoot } from '../setup/sets/privilege.ts'

/** The README has its own test. */
const pages = pagesOf().filter((path) => path !== 'README.md')
const blocks = pages.flatMap(blocksOf)
const snippets = snippetsOf(blocks)

let home: SnippetHome
beforeAll(async () => {
  home = await snippetHome()
})
afterAll(() => home[Symbol.dispose]())

test('blocks have a known language', () => {
  const unknown = blocks.filter(({ language }) => !LANGUAGES.includes(language))
  expect(unknown.map(({ place, language }) => `${place}: ${language}`)).toEqual([])
})

test('blocks have known marks', () => {
  const wrong = snippets.filter(
    ({ marks }) => marks.length > 1 || !['', 'rootless', 'container', 'limits'].includes(marks[0] ?? ''),
  )
  expect(wrong.map(({ place, marks }) => `${place}: ${marks.join(' ')}`)).toEqual([])
})

test('blocks of JSON are valid', () => {
  for (const { place, code } of blocks.filter(({ language }) => language === 'json')) {
    expect(() => JSON.parse(code), place).not.toThrow()
  }
})

test('blocks that install something are valid bash', () => {
  for (const { code } of blocks.filter(isInstallation)) {
    execFileSync('bash', ['-n', '-c', code], { timeout: 10_000, stdio: 'pipe' })
  }
})

// Snippets with containers need one, and have their own test.
const ofNoContainer = pages.map((path) => {
  return { path, runs: snippetsOf(blocksOf(path)).filter(({ marks }) => !marks.includes('container')) }
})

describe.each(ofNoContainer.filter(({ runs }) => runs.length > 0))('$path', ({ runs }) => {
  for (const snippet of runs) {
    const name = `${snippet.place} prints the documented output`
    if (snippet.marks.includes('rootless')) test(name, () => expectRun(snippet), SNIPPET_TIME_LIMIT * 2)
    else if (snippet.marks.includes('limits')) withLimits(name, snippet)
    else asRoot(name, 'names and threads in a network require root', () => expectRun(snippet), SNIPPET_TIME_LIMIT * 2)
  }
})

asRoot(
  'the snippets with containers find one of Docker’s',
  'Docker requires it, and opening its containers does, too',
  async (context: TestContext) => {
    const [dockerd, busybox] = [installed('dockerd'), installed('busybox')]
    if (dockerd === undefined) return context.skip('needs dockerd, from the package docker.io')
    if (busybox === undefined) return context.skip('needs busybox, from the package busybox-static')
    await using docker = await startDockerd(dockerd, busybox)
    await docker.run('web', ['sleep', '600'])
    const ofContainers = snippets.filter(({ marks }) => marks.includes('container'))
    expect(ofContainers.length).toBeGreaterThan(0)
    for (const snippet of ofContainers) await expectRun(snippet, { DOCKER_HOST: `unix://${docker.socketPath}` })
  },
  90_000,
)

test('the snippets compile with the settings of the project', () => {
  const modules = snippets.filter(({ language }) => language === 'ts')
  const files = new Map(modules.map(({ place, code }) => [`${place}.mts`, code]))
  const wrong = 'docs/wrong.mts'
  const complaints = compile(files.set(wrong, "import { netns } from 'nsset'\nconst list: string[] = netns.list()\n"))
  expect(complaints.get(wrong)).toHaveLength(1)
  complaints.delete(wrong)
  expect([...complaints.values()].flat()).toEqual([])
  expect(complaints.size).toBe(modules.length)
}, 120_000)

function withLimits(name: string, snippet: Snippet): void {
  const run = async (context: TestContext) => {
    needsControllers(context, 'memory', 'pids', 'cpu')
    await expectRun(snippet)
  }
  asRoot(name, 'no control group is delegated to an ordinary user here', run, SNIPPET_TIME_LIMIT * 2)
}

async function expectRun(snippet: Snippet, env?: Record<string, string>): Promise<void> {
  const outcome = await runSnippet(home, snippet, env)
  const missing = await missingKinds(snippet.code)
  if (missing.length === 0) return expect(outcome).toEqual({ stdout: snippet.output, stderr: '', code: 0 })
  // The snippet fails at the action that creates it, and prints nothing.
  expect(outcome).toMatchObject({ stdout: '', code: 1 })
  const lacking = new RegExp(`^ActionError: .*: (EOPNOTSUPP|ENOENT): .*(${missing.join('|')});`, 'm')
  expect(outcome.stderr).toMatch(lacking)
}
