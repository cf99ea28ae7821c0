/** Programs that people run in a box: they work with the names that they need, and with no others. */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'
import { certificatesFor } from '../setup/sockets/certificate-authority.ts'
import { type Host, Internet } from '../setup/uplink/internet.ts'
import { serverOf } from '../setup/uplink/served/files.ts'
import { gitRepository } from '../setup/uplink/served/git-repository.ts'
import { npmRegistry } from '../setup/uplink/served/npm-registry.ts'
import { pythonIndex } from '../setup/uplink/served/python-index.ts'

const DEPENDENCIES = 50
const NAMES = ['packages.test', 'repository.test', 'index.test'] as const
const TIME_LIMIT = 120_000

/** What the servers have. */
const origin = temporaryDirectory()
/** Where programs in the box may write. */
const results = temporaryDirectory()
/** What programs have asked for, and no server has. */
const missing: string[] = []
let internet: Internet
let box: Host
let caFile: string
let commit: string

beforeAll(async () => {
  const certificates = certificatesFor(NAMES.map((name) => `DNS:${name}`).join(), results)
  caFile = certificates.caFile
  const repository = gitRepository(NAMES[1], origin)
  commit = repository.commit
  const files = new Map([
    ...npmRegistry(NAMES[0], DEPENDENCIES, origin),
    ...repository.files,
    ...pythonIndex(NAMES[2], origin),
  ])
  internet = await Internet.create()
  await internet.listen(serverOf(files, certificates, missing), 443)
  box = await internet.uplink({ allow: NAMES.map((name) => `${name}:443`), box: { write: [results.path] } })
}, 60_000)
afterAll(async () => {
  await internet[Symbol.asyncDispose]()
  origin[Symbol.dispose]()
  results[Symbol.dispose]()
})

test('npm install of a package with fifty dependencies', { timeout: TIME_LIMIT }, async () => {
  const prefix = results.file('npm')
  const quiet = ['--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error']
  const places = ['--prefix', prefix, '--cache', results.file('cache'), '--cafile', caFile]
  const args = ['install', ...quiet, ...places, '--registry=https://packages.test/', 'main']
  expect(await box.execute('npm', args)).toMatchObject({ code: 0, stderr: '' })
  const installed = readdirSync(`${prefix}/node_modules`).filter((name) => !name.startsWith('.'))
  expect(installed).toHaveLength(DEPENDENCIES + 1)
  expect(missing).toEqual([])
})

test('git clone over https', { timeout: TIME_LIMIT }, async () => {
  const place = results.file('clone')
  const args = ['-c', `http.sslCAInfo=${caFile}`, 'clone', '--quiet', 'https://repository.test/project.git', place]
  expect(await box.execute('git', args)).toMatchObject({ code: 0, stderr: '' })
  expect(readFileSync(`${place}/file`, 'utf8')).toBe('from the repository\n')
  expect((await box.execute('git', ['-C', place, 'rev-parse', 'HEAD'])).stdout).toBe(`${commit}\n`)
})

test('pip install', { timeout: TIME_LIMIT }, async (context) => {
  const pip = spawnSync('/usr/bin/python3', ['-m', 'pip', '--version'], { encoding: 'utf8', timeout: 60_000 })
  if (pip.status !== 0) context.skip(`this machine has no pip: ${pip.stderr?.trim()}`)
  const place = results.file('python')
  const quiet = ['--quiet', '--no-cache-dir', '--disable-pip-version-check', '--root-user-action=ignore']
  const places = ['--target', place, '--cert', caFile, '--index-url', 'https://index.test/simple/']
  const args = ['-m', 'pip', 'install', ...quiet, ...places, 'tiny']
  expect(await box.execute('/usr/bin/python3', args)).toMatchObject({ code: 0, stderr: '' })
  const asked = await box.execute('/usr/bin/python3', [
    '-c',
    `import sys; sys.path.insert(0, '${place}'); import tiny; print(tiny.ANSWER)`,
  ])
  expect(asked.stdout).toBe('42\n')
})

test('nothing else was refused than the addresses of an answer that lead inward, and the name of the machine itself', async () => {
  const inward = (kind: string | undefined) => ['private', 'loopback', 'link-local'].includes(kind ?? '')
  const others = (await box.refusals()).filter(({ name, kind }) => {
    return name !== 'sandbox' && !(name === 'index.test' && inward(kind))
  })
  expect(others).toEqual([])
})
