/** The package installed by pnpm and Yarn: added by name, from a registry, it runs the README's first example. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, type TestContext, test, vi } from 'vitest'
import { type FreshProject, freshProject, LONG } from '../setup/package/fresh-project.ts'
import { expectReadmeExample } from '../setup/package/install.ts'
import { type Registry, startRegistry } from '../setup/package/registry.ts'
import { BINARY_HERE } from '../setup/package/release.ts'

/** The variable with the `node_modules` that contains the npm packages of these programs. */
const VARIABLE = 'NSSET_TEST_PACKAGE_MANAGERS'

/** Each by its npm package; both Yarn packages provide `.bin/yarn`. */
const PROGRAMS = {
  pnpm: '.bin/pnpm',
  yarn: 'yarn/bin/yarn.js',
  '@yarnpkg/cli-dist': '@yarnpkg/cli-dist/bin/yarn.js',
}

interface Layout {
  name: string
  manager: keyof typeof PROGRAMS
  /** What the project has only in this layout. */
  mark: string
  linker?: string
  /** What is downloaded for this machine, if more than the matching binary. */
  downloads?: string[]
}

const LAYOUTS: Layout[] = [
  { name: 'pnpm', manager: 'pnpm', mark: 'node_modules/.pnpm' },
  // It downloads all packages, and then ignores other processors and systems, but not other C libraries.
  { name: 'Yarn 1', manager: 'yarn', mark: 'node_modules/.yarn-integrity', downloads: binaries() },
  ...[
    { linker: 'node-modules', mark: 'node_modules/.yarn-state.yml' },
    { linker: 'pnpm', mark: 'node_modules/.store' },
    { linker: 'pnp', mark: '.pnp.cjs' },
  ].map((each) => ({ name: `Yarn with ${each.linker}`, manager: '@yarnpkg/cli-dist' as const, ...each })),
]

function binaries(): string[] {
  return ['arm64-gnu', 'arm64-musl', 'x64-gnu', 'x64-musl'].map((name) => `nsset-linux-${name}`)
}

vi.setConfig({ testTimeout: LONG, hookTimeout: LONG })

let registry: Registry
beforeAll(async () => {
  registry = await startRegistry()
})
afterAll(async () => await registry?.[Symbol.asyncDispose]())

describe.each(LAYOUTS.map((layout) => [layout.name, layout] as const))('%s', (_, layout) => {
  const { manager, mark, linker, downloads = [BINARY_HERE] } = layout
  const program = join(process.env[VARIABLE] ?? '', PROGRAMS[manager])
  const command = program.endsWith('.js') ? [process.execPath, program] : [program]
  let project: FreshProject
  let env: Record<string, string>
  beforeAll(() => {
    project = freshProject(registry.url)
    env = linker === undefined ? {} : settingsOfYarn(linker, registry.url)
  })
  afterAll(() => project?.[Symbol.dispose]())

  /** With Plug'n'Play, Node.js finds packages only with Yarn's loader. */
  const node = linker === 'pnp' ? [...command, 'node'] : [process.execPath]

  function skipWithout(context: TestContext): void {
    if (process.env[VARIABLE] === undefined) context.skip(`${VARIABLE} names no directory with ${manager}`)
  }

  test('installs the package and its binary', async (context) => {
    skipWithout(context)
    const { stdout, stderr, code } = await project.run([...command, 'add', 'nsset'], env)
    expect({ stderr, code }, stdout).toEqual({ stderr: '', code: 0 })
    expect(existsSync(project.file(mark)), mark).toBe(true)
    expect(registry.downloads()).toEqual(['nsset', ...downloads])
  })

  test('the first example of the README runs', async (context) => {
    skipWithout(context)
    await expectReadmeExample(project, node, env)
  })

  test('network.fetch works without undici, which is an optional peer dependency', async (context) => {
    skipWithout(context)
    project.write('fetch.mjs', FETCH)
    const { stdout, stderr, code } = await project.run([...node, 'fetch.mjs'], env)
    expect({ stdout, stderr, code }).toEqual({ stdout: 'hello, node\n', stderr: '', code: 0 })
  })

  test('a Node.js forked inside finds the package, too', async (context) => {
    skipWithout(context)
    project.write('parent.mjs', PARENT)
    project.write('child.mjs', CHILD)
    const { stdout, stderr, code } = await project.run([...node, 'parent.mjs'], env)
    expect({ stdout, stderr, code }).toEqual({ stdout: 'the same network\n', stderr: '', code: 0 })
  })
})

const PARENT = `
import { once } from 'node:events'
import { NamespaceSet } from 'nsset'
const set = await NamespaceSet.unshare(['user', 'net'], { mapUser: 'root' })
const [id] = await once(set.fork('./child.mjs'), 'message')
console.log(id === set.id('net') ? 'the same network' : id)
set.close()
`

/** Node's own undici has the user agent `node`. */
const FETCH = `
import { createServer } from 'node:http'
import { NamespaceSet } from 'nsset'
const set = await NamespaceSet.unshare(['user', 'net'], { mapUser: 'root', loopback: true })
const server = createServer(({ headers }, response) => response.end('hello, ' + headers['user-agent']))
await set.network.listen(server, { host: '127.0.0.1', port: 80 })
console.log(await (await set.network.fetch('http://127.0.0.1/')).text())
set.close()
server.close()
`

const CHILD = `
import { NamespaceSet } from 'nsset'
const set = NamespaceSet.current('net')
process.send(set.id('net'))
set.close()
`

/** It reads no `.npmrc`, trusts only TLS, requires a lockfile in CI, and sends telemetry. */
function settingsOfYarn(linker: string, registry: string): Record<string, string> {
  return {
    YARN_NODE_LINKER: linker,
    YARN_NPM_REGISTRY_SERVER: registry,
    YARN_UNSAFE_HTTP_WHITELIST: '127.0.0.1',
    YARN_ENABLE_IMMUTABLE_INSTALLS: 'false',
    YARN_ENABLE_TELEMETRY: 'false',
  }
}
