/** Where the binary does not load, the first line of the error is what was wrong, and what helps. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { bundledApp, type RunOptions } from '../setup/package/bundled-app.ts'
import { asRoot } from '../setup/sets/privilege.ts'

interface Refusal {
  name: string
  code: string
  message: string
}

const ASK = `
  const { NamespaceSet } = await import('nsset')
  try {
    NamespaceSet.current().close()
    console.log(JSON.stringify('it works'))
  } catch ({ name, code, message }) {
    console.log(JSON.stringify({ name, code, message }))
  }`

const PERMISSION = process.allowedNodeEnvironmentFlags.has('--permission')
  ? '--permission'
  : '--experimental-permission'

/** What a call of an application says whose binary was tampered with. */
async function ask(tamper: (binary: string) => void, options?: RunOptions, program = ASK): Promise<Refusal> {
  using app = bundledApp()
  tamper(app.directory.file(`node_modules/nsset/${binaryName(app.directory.file('node_modules/nsset'))}`))
  const { value, stderr } = await app.run(program, options)
  expect(value, stderr).toBeDefined()
  return value as Refusal
}

function binaryName(directory: string): string {
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } }
  const name = `nsset.linux-${process.arch}-${header.glibcVersionRuntime === undefined ? 'musl' : 'gnu'}.node`
  if (!existsSync(`${directory}/${name}`)) throw new Error(`there is no ${name} among ${readdirSync(directory)}`)
  return name
}

const leave = () => undefined

test('the permission model names --allow-addons', async () => {
  const flags = [PERMISSION, '--allow-fs-read=*']
  const refusal = await ask(leave, { command: [process.execPath, ...flags] })
  expect(refusal).toEqual({
    name: 'TypeError',
    code: 'ERR_NSSET_UNSUPPORTED_PLATFORM',
    message:
      'nsset could not load its binary: Cannot load native addon because loading addons is disabled; ' +
      'the permission model needs --allow-addons beside --permission',
  })
})

test('the permission model names the files that it hides', async () => {
  using app = bundledApp()
  const shown = [app.directory.file('main-1.mjs'), app.directory.file('package.json')]
  const place = app.directory.file('node_modules/nsset')
  shown.push(`${place}/dist/index.js`, `${place}/package.json`)
  const flags = [PERMISSION, '--allow-addons', ...shown.map((path) => `--allow-fs-read=${path}`)]
  const { value, stderr } = await app.run(ASK, { command: [process.execPath, ...flags] })
  expect((value as Refusal | undefined)?.message, stderr).toContain('--allow-fs-read for ')
})

test('it works with --allow-addons', async () => {
  const flags = [PERMISSION, '--allow-fs-read=*', '--allow-addons']
  expect(await ask(leave, { command: [process.execPath, ...flags] })).toBe('it works')
})

test('--no-addons is named', async () => {
  const { code, message } = await ask(leave, { command: [process.execPath, '--no-addons'] })
  expect(code).toBe('ERR_NSSET_UNSUPPORTED_PLATFORM')
  expect(message).toContain('loading addons is disabled; --no-addons forbids it')
})

test.each<[string, (binary: string) => void, RegExp]>([
  ['an empty file', (binary) => writeFileSync(binary, ''), /too short.*; the file is damaged.*install nsset again/],
  ['half a file', (binary) => cut(binary, 2), /file too short: \d+ of \d+ bytes; the file is damaged/],
  ['a text', (binary) => writeFileSync(binary, 'a page of a proxy\n'.repeat(99)), /; the file is damaged/],
  [
    'a file for another processor',
    (binary) => patch(binary, 18, 0xf3),
    /; the file is damaged, or for another processor/,
  ],
  [
    'a file whose end was never written',
    (binary) => wipe(binary, 2),
    /file truncated: it ends in zeros; the file is damaged/,
  ],
  ['a FIFO', (binary) => replaceByFifo(binary), /not a regular file; the file is damaged/],
  ['a program', (binary) => patch(binary, 16, 2), /; the file is damaged/],
  ['a library that is none of ours', (binary) => copyFileSync(anyLibrary(), binary), /; the file is damaged/],
])('%s is named as what it is', async (_, tamper, expected) => {
  const { name, code, message } = await ask(tamper)
  expect({ name, code }).toEqual({ name: 'TypeError', code: 'ERR_NSSET_UNSUPPORTED_PLATFORM' })
  expect(message.split('\n')[0]).toMatch(/^nsset could not load its binary: /)
  expect(message.split('\n')[0]).toMatch(expected)
  expect(message).not.toContain('npm install --include')
})

test('a binary for a newer C library is named', async () => {
  const { message } = await ask((binary) => {
    const text = readFileSync(binary).toString('latin1')
    const [symbol] = /GLIBC_2\.\d\d(?=\0)/.exec(text) ?? []
    if (symbol === undefined) throw new Error('the binary names no version of glibc')
    // The hash of the version stands beside its name, so the binary's needs are patched by name and by hash.
    const later = `${symbol.slice(0, -2)}99`
    const patched = Buffer.from(text.replaceAll(`${symbol}\0`, `${later}\0`), 'latin1')
    const [from, to] = [elfHash(symbol), elfHash(later)]
    for (let at = patched.indexOf(from); at !== -1; at = patched.indexOf(from, at + 4)) to.copy(patched, at)
    writeFileSync(binary, patched)
  })
  expect(message).toMatch(/GLIBC_2\.99' not found.*; this system has an older C library than the binary needs/)
})

test('a file that the environment names and that is not there is named', async () => {
  const env = { NAPI_RS_NATIVE_LIBRARY_PATH: '/nowhere/nsset.node' }
  const { message } = await ask(leave, { env })
  expect(message).toBe(
    "nsset could not load its binary: NAPI_RS_NATIVE_LIBRARY_PATH is '/nowhere/nsset.node', which is no file",
  )
})

test('a binary that is not there is a missing package', async () => {
  const { message } = await ask((binary) => renameSync(binary, `${binary}.away`))
  expect(message).toMatch(/the package nsset-linux-\S+ is missing; npm install --include=optional brings it/)
})

test('what was wrong once may be right at the next call', async () => {
  const program = `
    import { renameSync } from 'node:fs'
    import { createRequire } from 'node:module'
    const { NamespaceSet } = await import('nsset')
    const dir = new URL('node_modules/nsset/', import.meta.url).pathname
    const failure = (() => { try { NamespaceSet.current() } catch ({ code }) { return code } })()
    const [away] = (await import('node:fs')).readdirSync(dir).filter((name) => name.endsWith('.away'))
    renameSync(dir + away, dir + away.slice(0, -5))
    using set = NamespaceSet.current()
    console.log(JSON.stringify([failure, set.kinds.includes('net')]))`.replace('using set', 'const set')
  expect(await ask((binary) => renameSync(binary, `${binary}.away`), undefined, program)).toEqual([
    'ERR_NSSET_UNSUPPORTED_PLATFORM',
    true,
  ])
})

asRoot('a file system without exec is named', 'it mounts one', async () => {
  using app = bundledApp()
  const place = app.directory.file('node_modules/nsset')
  const binary = binaryName(place)
  const inside = `mount --bind "$0" "$0"; mount -o remount,bind,noexec "$0"; exec "$@"`
  const command = ['unshare', '--mount', 'sh', '-c', inside, place, process.execPath]
  const { value, stderr } = await app.run(ASK, { command })
  expect((value as Refusal | undefined)?.message, `${binary}: ${stderr}`).toMatch(
    /failed to map segment.*; it must be readable, on a file system that is not mounted noexec/,
  )
})

/** Keeps the first part of a file. */
function cut(path: string, parts: number): void {
  const bytes = readFileSync(path)
  writeFileSync(path, bytes.subarray(0, bytes.length / parts))
}

/** Leaves nothing but zeros of all but the first part, as a copy does that broke off. */
function wipe(path: string, parts: number): void {
  const bytes = readFileSync(path)
  writeFileSync(path, bytes.fill(0, bytes.length / parts))
}

function replaceByFifo(path: string): void {
  rmSync(path)
  execFileSync('mkfifo', [path])
}

function patch(path: string, at: number, byte: number): void {
  const bytes = readFileSync(path)
  bytes[at] = byte
  writeFileSync(path, bytes)
}

/** The C library that ls(1) is linked to. */
function anyLibrary(): string {
  const [path] = /\/\S*(libc\.so\.6|ld-musl-\S+)/.exec(execFileSync('ldd', ['/bin/ls'], { encoding: 'utf8' })) ?? []
  if (path === undefined) throw new Error('ls is linked to no C library')
  return path
}

/** elf(5): of the name of a version, as it stands in a file of little-endian order. */
function elfHash(name: string): Buffer {
  let hash = 0
  for (const byte of Buffer.from(name)) {
    hash = ((hash << 4) >>> 0) + byte
    const high = hash & 0xf0000000
    if (high !== 0) hash ^= high >>> 24
    hash = (hash & ~high) >>> 0
  }
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(hash)
  return bytes
}
