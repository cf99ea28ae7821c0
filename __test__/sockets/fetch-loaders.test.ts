/**
 * `network.fetch` uses Node's own undici when none is installed, however the application is loaded: each bundler and
 * test runner reports a missing undici in a different way. pnpm and Yarn: package/install-package-managers.test.ts.
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

/** Requests from a server inside by the `fetch` of its network, and records the user agent. */
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
/** Without top-level await, which CommonJS lacks. */
const START = "import { scene } from './scene.mjs'\nscene()\n"
const TEST = "import { scene } from './scene.mjs'\ntest('fetch', scene)\n"

const require = createRequire(import.meta.url)
/** A program of a package that Vitest installs. */
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

/** What npm installs for this machine; a bundle that contains nsset looks for it. */
function addBinaryPackage(): void {
  const directory = app.directory.file(`node_modules/${BINARY_HERE}`)
  const [binary = ''] = readdirSync(app.directory.file('node_modules/nsset')).filter((name) => name.endsWith('.node'))
  mkdirSync(directory)
  copyFileSync(app.directory.file(`node_modules/nsset/${binary}`), join(directory, binary))
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ name: BINARY_HERE, version: '0.1.0', main: binary }))
}

const write = (name: string, text: string) => writeFileSync(app.directory.file(name), text)

/** The user agent of `fetch`: `node` is Node's own undici. The program has then succeeded. */
async function clientIn(command: readonly string[], env: Record<string, string> = {}): Promise<string> {
  const out = app.directory.file('out')
  rmSync(out, { force: true })
  const every = { ...process.env, NODE_OPTIONS: '', NODE_ENV: 'production', VITEST: '', OUT: out, ...env }
  const output = await new Promise<string>((resolve) => {
    const how = { cwd: app.directory.path, env: every, timeout: TIME_LIMIT, killSignal: 'SIGKILL' } as const
    execFile(process.execPath, [...command], how, (error, stdout, stderr) =>
      resolve(`${error ?? ''}${stdout}${stderr}`),
    )
  })
  expect(existsSync(out), output).toBe(true)
  return readFileSync(out, 'utf8')
}

test('fetch works in a module', async () => {
  expect(await clientIn(['main.mjs'])).toBe('node')
})

test('fetch works in a CommonJS file', async () => {
  write('main.cjs', "import('./scene.mjs').then(({ scene }) => scene())")
  expect(await clientIn(['main.cjs'])).toBe('node')
})

test.each<[name: string, format: Format, external: string[]]>([
  ['a module that contains nsset', 'esm', []],
  ['a module with nsset external', 'esm', ['nsset']],
  ['CommonJS with nsset external', 'cjs', ['nsset']],
])('fetch works in a bundle of esbuild: %s', async (_, format, external) => {
  const name = `esbuild.${format === 'esm' ? 'm' : 'c'}js`
  const [entry, outfile] = [app.directory.file('start.mjs'), app.directory.file(name)]
  buildSync({ entryPoints: [entry], outfile, bundle: true, platform: 'node', target: 'node20', format, external })
  expect(await clientIn([name])).toBe('node')
})

test.each([
  ['a module that contains nsset', 'es', true],
  ['a module with nsset external', 'es', false],
  ['CommonJS with nsset external', 'cjs', false],
])('fetch works in a bundle of Vite: %s', async (_, format, noExternal) => {
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
  ['by default', {}],
  ['through Vite', { server: { deps: { inline: ['nsset'] } } }],
  ['in a vm context', { pool: 'vmThreads' }],
])('fetch works in Vitest, which loads nsset %s', async (_, options) => {
  write('fetch.test.mjs', TEST)
  const config = { test: { globals: true, include: ['fetch.test.mjs'], ...options } }
  write('vitest.config.mjs', `export default ${JSON.stringify(config)}`)
  const vitest = join(dirname(require.resolve('vitest/package.json')), 'vitest.mjs')
  expect(await clientIn([vitest, 'run'])).toBe('node')
})

describe('jest', () => {
  let failure: string | undefined
  beforeAll(() => {
    failure = app.install('jest@30')
  }, 3 * TIME_LIMIT)

  test('runs each test file in a vm context, where fetch works', async (context) => {
    if (failure !== undefined) return context.skip(failure)
    write('fetch.test.mjs', TEST)
    write('jest.config.json', JSON.stringify({ testMatch: ['**/fetch.test.mjs'], transform: {} }))
    const jest = ['node_modules/jest/bin/jest.js', '--config', 'jest.config.json', '--runInBand', '--watchman=false']
    expect(await clientIn(['--experimental-vm-modules', ...jest])).toBe('node')
  })
})
