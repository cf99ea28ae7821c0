/**
 * The package as its users install it: the tarballs of a release, Node.js, npm, and nothing else. There is no Rust on
 * the PATH, and the only registry is the test's own, with these tarballs only.
 */
import { copyFileSync, existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { bundle } from '../setup/package/bundle.ts'
import { type FreshProject, freshProject, LONG, PATH_WITHOUT_RUST } from '../setup/package/fresh-project.ts'
import { expectReadmeExample, npmInstall } from '../setup/package/install.ts'
import { type Registry, startRegistry } from '../setup/package/registry.ts'
import { BINARY_HERE } from '../setup/package/release.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

vi.setConfig({ testTimeout: LONG, hookTimeout: LONG })

let registry: Registry
beforeAll(async () => {
  registry = await startRegistry()
})
afterAll(async () => await registry?.[Symbol.asyncDispose]())

const tarballOf = (name: string) => registry.tarballs.get(name) ?? ''

test('neither cargo nor rustc is on the PATH of these tests', () => {
  const found = PATH_WITHOUT_RUST.flatMap((directory) => ['cargo', 'rustc'].map((name) => join(directory, name)))
  expect(found.filter(existsSync)).toEqual([])
})

describe('npm install nsset', () => {
  let project: FreshProject
  beforeAll(async () => {
    project = freshProject(registry.url)
    await npmInstall(project, 'nsset')
  })
  afterAll(() => project?.[Symbol.dispose]())

  test('installs the package and the one matching binary', () => {
    expect(project.installed()).toEqual(['nsset', BINARY_HERE])
    expect(registry.downloads()).toEqual(['nsset', BINARY_HERE])
  })

  test('the first example of the README runs', async () => {
    await expectReadmeExample(project)
  })

  test('the demo runs', async () => {
    mkdirSync(project.file('demo'))
    bundle('examples/demo.ts', project.file('demo/demo.mjs'))
    for (const name of ['client.js', 'server.js'])
      copyFileSync(join(ROOT, 'examples/demo', name), project.file(`demo/${name}`))
    const { stdout, stderr, code } = await project.run([process.execPath, 'demo/demo.mjs'])
    expect({ stderr, code }, stdout).toEqual({ stderr: '', code: 0 })
    expect(stdout).toContain('All eight made in')
    expect(stdout).toContain('Closed: the namespaces, and all that ran in them, are gone.')
    expect(stdout).not.toContain('CHANGED')
  })

  test.each([
    ['stays outside', ['nsset']],
    ['is bundled, and its binary is not', []],
  ])('a bundled application runs when the package %s', async (_, external) => {
    project.write('app.ts', APPLICATION)
    bundle(project.file('app.ts'), project.file('app.mjs'), external)
    const { stdout, stderr, code } = await project.run([process.execPath, 'app.mjs'])
    expect({ stdout, stderr, code }).toEqual({ stdout: 'app 127.0.0.1\n', stderr: '', code: 0 })
  })
})

/** Starts a program inside, and lists links: both parts of the binding. */
const APPLICATION = `
import { NamespaceSet } from 'nsset'
const set: NamespaceSet = await NamespaceSet.unshare(['user', 'net', 'uts'], { mapUser: 'root', hostname: 'app' })
await set.network.links.set('lo', { up: true })
const { stdout } = await set.execFile('hostname')
const [address] = await set.network.addresses.list('lo')
console.log(stdout.trim(), address?.address.split('/')[0])
set.close()
`

describe('npm install', () => {
  test.each([
    ['linux', 'x64', 'glibc', ['nsset-linux-x64-gnu']],
    ['linux', 'x64', 'musl', ['nsset-linux-x64-musl']],
    ['linux', 'arm64', 'glibc', ['nsset-linux-arm64-gnu']],
    ['linux', 'arm64', 'musl', ['nsset-linux-arm64-musl']],
    ['linux', 'riscv64', 'glibc', []],
    ['darwin', 'arm64', 'none', []],
  ])('for %s, %s, %s installs the matching binary, and no other', async (os, cpu, libc, binaries) => {
    using project = freshProject(registry.url)
    await npmInstall(project, `--os=${os}`, `--cpu=${cpu}`, `--libc=${libc}`, 'nsset')
    expect(project.installed()).toEqual(['nsset', ...binaries])
    expect(registry.downloads()).toEqual(['nsset', ...binaries])
  })
})

describe('without optional dependencies', () => {
  test('a call throws an error that names the missing package', async () => {
    using project = freshProject(registry.url)
    await npmInstall(project, '--omit=optional', 'nsset')
    expect(project.installed()).toEqual(['nsset'])
    project.write(
      'main.mjs',
      `import { NamespaceSet } from 'nsset'
       try {
         NamespaceSet.current()
       } catch ({ code, message }) {
         console.log(JSON.stringify({ code, message }))
       }`,
    )
    const { stdout, stderr } = await project.run([process.execPath, 'main.mjs'])
    expect({ ...(JSON.parse(stdout) as object), stderr }).toEqual({
      code: 'ERR_NSSET_UNSUPPORTED_PLATFORM',
      message: expect.stringContaining(`the package ${BINARY_HERE} is missing`),
      stderr: '',
    })
  })
})

describe('without a registry', () => {
  test('npm installs from the tarballs', async () => {
    using project = freshProject()
    await npmInstall(project, '--offline', tarballOf('nsset'), tarballOf(BINARY_HERE))
    expect(project.installed()).toEqual(['nsset', BINARY_HERE])
    await expectReadmeExample(project)
  })

  test('npm links a built checkout', async () => {
    using project = freshProject()
    await npmInstall(project, '--offline', `file:${ROOT}`)
    expect(project.installed()).toEqual(['nsset'])
    await expectReadmeExample(project)
  })

  test('a copy of a checkout uses the binary from its tarball', async () => {
    using project = freshProject()
    await npmInstall(project, '--offline', '--install-links', `file:${ROOT}`, tarballOf(BINARY_HERE))
    expect(project.installed()).toEqual(['nsset', BINARY_HERE])
    await expectReadmeExample(project)
  })
})
