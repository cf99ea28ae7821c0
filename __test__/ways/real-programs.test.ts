/** Programs that people run in a box: they work with the names that they need, and with no others. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'
import { certificatesFor } from '../setup/sockets/certificate-authority.ts'
import { type Host, Internet } from '../setup/uplink/internet.ts'
import { aptRepository } from '../setup/uplink/served/apt-repository.ts'
import { listenerOf, serverOf } from '../setup/uplink/served/files.ts'
import { gitRepository } from '../setup/uplink/served/git-repository.ts'
import { npmRegistry } from '../setup/uplink/served/npm-registry.ts'
import { pythonIndex } from '../setup/uplink/served/python-index.ts'
import { smartGit } from '../setup/uplink/served/smart-git.ts'

const DEPENDENCIES = 50
const NAMES = ['packages.test', 'repository.test', 'index.test', 'smart.test'] as const
/** Without TLS: its requests are read by the uplink. */
const PLAIN = 'debian.test'
const TIME_LIMIT = 120_000

/** What the servers have. */
const origin = temporaryDirectory()
/** Where programs in the box may write. */
const results = temporaryDirectory()
/** What programs have asked for, and no server has. */
const missing: string[] = []
let internet: Internet
let box: Host
const hasApt = () => ['apt-get', 'dpkg-deb'].every((program) => spawnSync(program, ['--version']).status === 0)
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
  const programs = new Map([[NAMES[3], smartGit(origin.path, 'project.git')]])
  await internet.listen(serverOf(files, certificates, missing, programs), 443)
  if (hasApt()) await internet.listen(http.createServer(listenerOf(aptRepository(PLAIN, origin), [])), 80)
  const allow = [...NAMES.map((name) => `${name}:443`), `${PLAIN}:80`]
  box = await internet.uplink({ allow, box: { write: [results.path] } })
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

test('git clone and push, with the program of git as the server', { timeout: TIME_LIMIT }, async () => {
  const place = results.file('smart')
  const options = ['-c', `http.sslCAInfo=${caFile}`]
  const author = ['-c', 'user.name=test', '-c', 'user.email=test@example.org']
  const git = async (...args: string[]) => {
    expect(await box.execute('git', args)).toMatchObject({ code: 0 })
  }
  await git(...options, 'clone', '--quiet', 'https://smart.test/project.git', place)
  await git('-C', place, ...author, 'commit', '--quiet', '--allow-empty', '--message=Two')
  await git('-C', place, ...options, 'push', '--quiet', 'origin', 'main')
  const { stdout } = await box.execute('git', ['-C', place, 'rev-parse', 'HEAD'])
  const local = { encoding: 'utf8', timeout: 20_000 } as const
  expect(execFileSync('git', ['-C', origin.file('project.git'), 'rev-parse', 'main'], local)).toBe(stdout)
})

test('apt-get update and download', { timeout: TIME_LIMIT }, async (context) => {
  if (!hasApt()) context.skip('this machine has no apt-get and dpkg-deb')
  const place = results.file('apt')
  for (const path of ['state/lists/partial', 'cache/archives/partial'])
    mkdirSync(`${place}/${path}`, { recursive: true })
  writeFileSync(`${place}/sources.list`, `deb [trusted=yes] http://${PLAIN}/ ./\n`)
  writeFileSync(`${place}/state/status`, '')
  const settings = {
    'APT::Sandbox::User': 'root',
    'Acquire::Languages': 'none',
    'Dir::State': `${place}/state`,
    'Dir::State::status': `${place}/state/status`,
    'Dir::Cache': `${place}/cache`,
    'Dir::Etc::sourcelist': `${place}/sources.list`,
    'Dir::Etc::sourceparts': '/dev/null',
  }
  const options = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`])
  const apt = (...args: string[]) =>
    box.execute('sh', ['-c', 'cd "$1" && shift && exec apt-get "$@"', 'sh', place, ...options, '-q', ...args])
  expect(await apt('update')).toMatchObject({ code: 0 })
  expect(await apt('download', 'tiny')).toMatchObject({ code: 0 })
  const downloaded = readdirSync(place).filter((name) => name.endsWith('.deb'))
  expect(downloaded).toEqual(['tiny_1.0_all.deb'])
  expect(readFileSync(`${place}/${downloaded[0]}`).equals(readFileSync(origin.file('tiny.deb')))).toBe(true)
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
    // apt also looks for a service record.
    return name !== 'sandbox' && name !== `_http._tcp.${PLAIN}` && !(name === 'index.test' && inward(kind))
  })
  expect(others).toEqual([])
})
