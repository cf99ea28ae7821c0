/**
 * The pages for those who come from elsewhere: no name is left out. Of these, and of the guides, each snippet compiles
 * and prints what it says.
 */
import { describe, expect, type TestContext, test } from 'vitest'
import { installed } from './setup/busybox-root.ts'
import { compile } from './setup/compile.ts'
import { startDockerd } from './setup/dockerd.ts'
import { missingKinds } from './setup/missing-kinds.ts'
import { readPage, type Snippet } from './setup/pages.ts'
import { asRoot } from './setup/privilege.ts'
import { runSnippet, SNIPPET_TIME_LIMIT } from './setup/run-snippet.ts'

/** What the two projects export. Of neslink that is the main branch, and older names that programs may still have. */
const NAMES = {
  'docs/from-neslink.md': `
    Do DoFd NsDo LinkDo Action NsAction LinkAction LinkAction.ActionName LinkAction.Do ErrNoLink
    Namespace Namespace.String Namespace.Exists NsFd NsFd.Int NsFd.Valid NsFd.Inode NsFd.Dev NsFd.close NsFdNone
    NsProvider NsProvider.Provide NPGeneric NPNow NPProcess NPThread NPName NPNameAt NPPath DefaultMountPath
    docker.NPName docker.NPID docker.NPDocker docker.NPDockerContainer
    NAGeneric NANewNs NANewNsAt NADeleteNamed NADeleteNamedAt NASetLinkNs NAGetNsFd NALinks NAGetLink NAExecNescript
    LinkProvider LinkProvider.Provide LPGeneric LPName LPAlias LPIndex
    LAGeneric LANewBridge LANewVeth LANewDummy LANewGRETap LANewWireguard LANewVxlan LADelete LASetName LASetAlias
    LASetHw LASetUp LASetDown LASetPromiscOn LASetPromiscOff LAAddAddr LADelAddr LAAddNetem LAAddTbf
    process.NAGetProcesses process.Task process.Task.Process process.Task.Task process.Task.NsDev process.Task.NsInode
    ovs.LAAttachBridge ovs.LADetachBridge`,
  'docs/from-netns.md': `
    NsHandle NsHandle.Equal NsHandle.String NsHandle.UniqueId NsHandle.IsOpen NsHandle.Close None
    Get Set Setns New NewNamed DeleteNamed GetFromPath GetFromName GetFromPid GetFromThread GetFromDocker
    CLONE_NEWUTS CLONE_NEWIPC CLONE_NEWUSER CLONE_NEWPID CLONE_NEWNET CLONE_IO SYS_SETNS ErrNotImplemented`,
}

/** Pages that are about nsset alone. */
const GUIDES = ['docs/sockets.md']

const pages = Object.entries(NAMES).map(([path, names]) => {
  const chapters = readPage(path)
  return { path, names: names.trim().split(/\s+/), chapters, snippets: chapters.flatMap(({ snippets }) => snippets) }
})
const guides = GUIDES.map((path) => ({ path, snippets: readPage(path).flatMap(({ snippets }) => snippets) }))
const snippets = [...pages, ...guides].flatMap((page) => page.snippets)

describe.each(pages)('$path', ({ names, chapters, snippets }) => {
  test('has every name of the other project, and once', () => {
    const told = chapters.flatMap(({ rows }) => rows.map(({ name }) => name))
    expect(told.toSorted()).toEqual(names.toSorted())
  })

  test('shows what it says of a name in a snippet of the same chapter', () => {
    const unshown = chapters
      .filter(({ title }) => title !== 'Without an equal')
      .flatMap(({ rows, snippets }) => {
        const words = new Set(snippets.flatMap(({ code }) => wordsOf(code)))
        return rows.flatMap(({ name, here }) => {
          const missing = here.flatMap(wordsOf).filter((word) => !words.has(word) && !names.includes(word))
          return here.length === 0 ? [`${name}: nothing`] : missing.map((word) => `${name}: ${word}`)
        })
      })
    expect(unshown).toEqual([])
  })

  expectRuns(snippets)
})

describe.each(guides)('$path', ({ snippets }) => {
  test('has snippets that anybody can run', () => {
    expect(snippets.map(({ marks }) => marks)).toEqual(snippets.map(() => ['rootless']))
    expect(snippets.length).toBeGreaterThan(0)
  })

  expectRuns(snippets)
})

asRoot(
  'the snippets of containers find one of Docker’s',
  'Docker does, and so does whoever looks at its containers',
  async (context: TestContext) => {
    const [dockerd, busybox] = [installed('dockerd'), installed('busybox')]
    if (dockerd === undefined) return context.skip('needs dockerd, of the package docker.io')
    if (busybox === undefined) return context.skip('needs busybox, of the package busybox-static')
    await using docker = await startDockerd(dockerd, busybox)
    await docker.run('web', ['sleep', '600'])
    const ofContainers = snippets.filter(({ marks }) => marks.includes('container'))
    expect(ofContainers.length).toBe(2)
    for (const snippet of ofContainers) await expectRun(snippet, { DOCKER_HOST: `unix://${docker.socketPath}` })
  },
  90_000,
)

test('the snippets compile with the settings of the project', () => {
  const files = new Map(snippets.map(({ place, code }) => [`${place}.mts`, code]))
  const wrong = 'docs/wrong.mts'
  const complaints = compile(files.set(wrong, "import { netns } from 'nsset'\nconst list: string[] = netns.list()\n"))
  expect(complaints.get(wrong)).toHaveLength(1)
  complaints.delete(wrong)
  expect([...complaints.values()].flat()).toEqual([])
  expect(complaints.size).toBe(snippets.length)
})

/** A test of each snippet. Those of containers need one, and have a test of their own. */
function expectRuns(snippets: readonly Snippet[]): void {
  for (const snippet of snippets.filter(({ marks }) => !marks.includes('container'))) {
    const name = `${snippet.place} prints what it says`
    if (snippet.marks.includes('rootless')) test(name, () => expectRun(snippet), SNIPPET_TIME_LIMIT * 2)
    else asRoot(name, 'names and threads in a network are for root', () => expectRun(snippet), SNIPPET_TIME_LIMIT * 2)
  }
}

function wordsOf(code: string): string[] {
  return code.match(/[A-Za-z_]\w*/g) ?? []
}

async function expectRun({ code, output }: Snippet, env?: Record<string, string>): Promise<void> {
  const outcome = await runSnippet(code, env)
  const missing = await missingKinds(code)
  if (missing.length === 0) return expect(outcome).toEqual({ stdout: output, stderr: '', code: 0 })
  // The snippet ends at the action that makes it, and prints nothing.
  expect(outcome).toMatchObject({ stdout: '', code: 1 })
  const lacking = new RegExp(`^ActionError: .*: (EOPNOTSUPP|ENOENT): .*(${missing.join('|')});`, 'm')
  expect(outcome.stderr).toMatch(lacking)
}
