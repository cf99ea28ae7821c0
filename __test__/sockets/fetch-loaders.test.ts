/**
 * `network.fetch` uses Node's own undici where none is installed, however the application is loaded: each bundler and each runner of
 * tests says in words of its own that there is no undici. pnpm and Yarn: package/install-package-managers.test.ts.
 */
import { execFile } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { buildSync, type Format } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type BundledApp, bundledApp } from '../setup/package/bundled-app.ts'
import { BINARY_HERE } from '../setup/package/release.ts'

const TIME_LIMIT = 60_000

vi.setConfig({ testTimeout: 2 * TIME_LIMIT, hookTimeout: TIME_LIMIT })

/** Asks a server inside by the `fetch` of its network, and writes down what that calls itself. */
const SCENE = `
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { NamespaceSet } from 'nsset'
export async function scene() {
  const kinds = process.getuid() === 0 ? ['net'] : ['user', 'net']
  const set = await NamespaceSet.unshare(kinds, { loopback: true })
  const server = createServer((request, response) => response.end(request.headers['user-agent']))
  await set.network.listen(server, { host: '127.0.0.1', port: 0 })
  const answer = await set.network.fetch('http://127.0.0.1:' + server.address().port + '/')
  writeFileSync(process.env.OUT, await answer.text())
  set.close()
  server.close()
}
`
const MAIN = "import { scene } from './scene.mjs'\nawait scene()\n"
/** Without top-level await, which CommonJS does not have. */
const START = "import { scene } from './scene.mjs'\nscene()\n"
const TEST = "import { scene } from './scene.mjs'\ntest('fetch', scene)\n"

const require = createRequire(import.meta.url)
/** A program of a package, which Vitest brings along. */
const programOf = (name: string, file: string) =>
  join(dirname(createRequire(require.resolve('vitest/package.json')).resolve(`${name}/package.json`)), file)

let app: BundledApp
beforeAll(() => {
  app = bundledApp()
  write('scene.mjs', SCENE)
  write('main.mjs', MAIN)
  write('start.mjs', START)
  addBinaryPackage()
})
afterAll(() => app?.[Symbol.dispose]())

/** What npm installs for this machine, which a bundle with nsset in it looks for. */
function addBinaryPackage(): void {
  const directory = app.directory.file(`node_modules/${BINARY_HERE}`)
  const [binary = ''] = readdirSync(app.directory.file('node_modules/nsset')).filter((name) => name.endsWith('.node'))
  mkdirSync(directory)
  copyFileSync(app.directory.file(`node_modules/nsset/${binary}`), join(directory, binary))
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ name: BINARY_HERE, version: '0.1.0', main: binary }))
}

const write = (name: string, text: string) => writeFileSync(app.directory.file(name), text)

/** What the `fetch` calls itself: `node` is Node's own undici. Then the program has ended well. */
async function clientIn(command: readonly string[], env: Record<string, string> = {}): Promise<string> {
  const out = app.directory.file('out')
  rmSync(out, { force: true })
  const every = { ...process.env, NODE_OPTIONS: '', NODE_ENV: 'production', VITEST: '', OUT: out, ...env }
  const said = await new Promise<string>((resolve) => {
    const how = { cwd: app.directory.path, env: every, timeout: TIME_LIMIT, killSignal: 'SIGKILL' } as const
    execFile(process.execPath, [...command], how, (error, stdout, stderr) =>
      resolve(`${error ?? ''}${stdout}${stderr}`),
    )
  })
  expect(existsSync(out), said).toBe(true)
  return readFileSync(out, 'utf8')
}

test('in a module', async () => {
  expect(await clientIn(['main.mjs'])).toBe('node')
})

test('in a CommonJS file', async () => {
  write('main.cjs', "import('./scene.mjs').then(({ scene }) => scene())")
  expect(await clientIn(['main.cjs'])).toBe('node')
})

test.each<[name: string, format: Format, external: string[]]>([
  ['a module with nsset in it', 'esm', []],
  ['a module beside nsset', 'esm', ['nsset']],
  ['CommonJS beside nsset', 'cjs', ['nsset']],
])('in a bundle of esbuild: %s', async (_, format, external) => {
  const name = `esbuild.${format === 'esm' ? 'm' : 'c'}js`
  const [entry, outfile] = [app.directory.file('start.mjs'), app.directory.file(name)]
  buildSync({ entryPoints: [entry], outfile, bundle: true, platform: 'node', target: 'node20', format, external })
  expect(await clientIn([name])).toBe('node')
})

test.each([
  ['a module with nsset in it', 'es', true],
  ['a module beside nsset', 'es', false],
  ['CommonJS beside nsset', 'cjs', false],
])('in a bundle of Vite: %s', async (_, format, noExternal) => {
  const output = { format, entryFileNames: `vite.${format === 'es' ? 'm' : 'c'}js` }
  const build = { ssr: 'start.mjs', outDir: '.', emptyOutDir: false, rollupOptions: { output } }
  write(
    'vite.config.mjs',
    `export default ${JSON.stringify({ logLevel: 'error', build, ssr: noExternal ? { noExternal } : {} })}`,
  )
  const vite = programOf('vite', 'bin/vite.js')
  await new Promise<void>((resolve, reject) => {
    const how = { cwd: app.directory.path, timeout: TIME_LIMIT }
    execFile(process.execPath, [vite, 'build'], how, (error, _, stderr) =>
      error ? reject(new Error(stderr)) : resolve(),
    )
  })
  expect(await clientIn([output.entryFileNames])).toBe('node')
})

test.each([
  ['as it is', {}],
  ['through Vite', { server: { deps: { inline: ['nsset'] } } }],
  ['in a context of vm', { pool: 'vmThreads' }],
])('in Vitest, which loads nsset %s', async (_, options) => {
  write('fetch.test.mjs', TEST)
  const config = { test: { globals: true, include: ['fetch.test.mjs'], ...options } }
  write('vitest.config.mjs', `export default ${JSON.stringify(config)}`)
  const vitest = join(dirname(require.resolve('vitest/package.json')), 'vitest.mjs')
  expect(await clientIn([vitest, 'run'])).toBe('node')
})

describe('in jest', () => {
  let failure: string | undefined
  beforeAll(() => {
    failure = app.install('jest@30')
  }, 3 * TIME_LIMIT)

  test('which runs each file of tests in a context of vm', async (context) => {
    if (failure !== undefined) return context.skip(failure)
    write('fetch.test.mjs', TEST)
    write('jest.config.json', JSON.stringify({ testMatch: ['**/fetch.test.mjs'], transform: {} }))
    const jest = ['node_modules/jest/bin/jest.js', '--config', 'jest.config.json', '--runInBand', '--watchman=false']
    expect(await clientIn(['--experimental-vm-modules', ...jest])).toBe('node')
  })
})
