/** When the binary does not load, the first line of the error names the cause and the remedy. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { bundledApp, type RunOptions } from '../setup/package/bundled-app.ts'
import { asRoot } from '../setup/sets/privilege.ts'

interface LoadFailure {
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

/** The error of a call in an application with a modified binary. */
async function loadFailure(
  tamper: (binary: string) => void,
  options?: RunOptions,
  program = ASK,
): Promise<LoadFailure> {
  using app = bundledApp()
  tamper(app.directory.file(`node_modules/nsset/${binaryName(app.directory.file('node_modules/nsset'))}`))
  const { value, stderr } = await app.run(program, options)
  expect(value, stderr).toBeDefined()
  return value as LoadFailure
}

function binaryName(directory: string): string {
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } }
  const name = `nsset.linux-${process.arch}-${header.glibcVersionRuntime === undefined ? 'musl' : 'gnu'}.node`
  if (!existsSync(`${directory}/${name}`)) throw new Error(`there is no ${name} among ${readdirSync(directory)}`)
  return name
}

const leave = () => undefined

test('the error of the permission model names --allow-addons', async () => {
  const flags = [PERMISSION, '--allow-fs-read=*']
  const refusal = await loadFailure(leave, { command: [process.execPath, ...flags] })
  expect(refusal).toEqual({
    name: 'TypeError',
    code: 'ERR_NSSET_UNSUPPORTED_PLATFORM',
    message:
      'nsset could not load its binary: Cannot load native addon because loading addons is disabled; ' +
      'the permission model needs --allow-addons beside --permission',
  })
})

test('the error of the permission model names the hidden files', async () => {
  using app = bundledApp()
  const shown = [app.directory.file('main-1.mjs'), app.directory.file('package.json')]
  const place = app.directory.file('node_modules/nsset')
  shown.push(`${place}/dist/index.js`, `${place}/package.json`)
  const flags = [PERMISSION, '--allow-addons', ...shown.map((path) => `--allow-fs-read=${path}`)]
  const { value, stderr } = await app.run(ASK, { command: [process.execPath, ...flags] })
  expect((value as LoadFailure | undefined)?.message, stderr).toContain('--allow-fs-read for ')
})

test('the permission model with --allow-addons works', async () => {
  const flags = [PERMISSION, '--allow-fs-read=*', '--allow-addons']
  expect(await loadFailure(leave, { command: [process.execPath, ...flags] })).toBe('it works')
})

test('the error names --no-addons', async () => {
  const { code, message } = await loadFailure(leave, { command: [process.execPath, '--no-addons'] })
  expect(code).toBe('ERR_NSSET_UNSUPPORTED_PLATFORM')
  expect(message).toContain('loading addons is disabled; --no-addons forbids it')
})

test.each<[string, (binary: string) => void, RegExp]>([
  ['an empty file', (binary) => writeFileSync(binary, ''), /too short.*; the file is damaged.*install nsset again/],
  ['half of a file', (binary) => cut(binary, 2), /file too short: \d+ of \d+ bytes; the file is damaged/],
  ['a text file', (binary) => writeFileSync(binary, 'a page of a proxy\n'.repeat(99)), /; the file is damaged/],
  [
    'a file for another processor',
    (binary) => patch(binary, 18, 0xf3),
    /; the file is damaged, or for another processor/,
  ],
  [
    'a file whose end was not written',
    (binary) => wipe(binary, 2),
    /file truncated: it ends in zeros; the file is damaged/,
  ],
  ['a FIFO', (binary) => replaceByFifo(binary), /not a regular file; the file is damaged/],
  ['a program', (binary) => patch(binary, 16, 2), /; the file is damaged/],
  ['another library', (binary) => copyFileSync(anyLibrary(), binary), /; the file is damaged/],
])('%s is identified', async (_, tamper, expected) => {
  const { name, code, message } = await loadFailure(tamper)
  expect({ name, code }).toEqual({ name: 'TypeError', code: 'ERR_NSSET_UNSUPPORTED_PLATFORM' })
  expect(message.split('\n')[0]).toMatch(/^nsset could not load its binary: /)
  expect(message.split('\n')[0]).toMatch(expected)
  expect(message).not.toContain('npm install --include')
})

test('a binary for a newer C library is identified', async () => {
  const { message } = await loadFailure((binary) => {
    const text = readFileSync(binary).toString('latin1')
    const [symbol] = /GLIBC_2\.\d\d(?=\0)/.exec(text) ?? []
    if (symbol === undefined) throw new Error('the binary names no version of glibc')
    // The hash of the version is next to its name, so both are patched.
    const later = `${symbol.slice(0, -2)}99`
    const patched = Buffer.from(text.replaceAll(`${symbol}\0`, `${later}\0`), 'latin1')
    const [from, to] = [elfHash(symbol), elfHash(later)]
    for (let at = patched.indexOf(from); at !== -1; at = patched.indexOf(from, at + 4)) to.copy(patched, at)
    writeFileSync(binary, patched)
  })
  expect(message).toMatch(/GLIBC_2\.99' not found.*; this system has an older C library than the binary needs/)
})

test('the error names a missing file from the environment variable', async () => {
  const env = { NAPI_RS_NATIVE_LIBRARY_PATH: '/nowhere/nsset.node' }
  const { message } = await loadFailure(leave, { env })
  expect(message).toBe(
    "nsset could not load its binary: NAPI_RS_NATIVE_LIBRARY_PATH is '/nowhere/nsset.node', which is no file",
  )
})

test('a missing binary is a missing package', async () => {
  const { message } = await loadFailure((binary) => renameSync(binary, `${binary}.away`))
  expect(message).toMatch(/the package nsset-linux-\S+ is missing; npm install --include=optional brings it/)
})

test('a later call loads the binary after a failure', async () => {
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
  expect(await loadFailure((binary) => renameSync(binary, `${binary}.away`), undefined, program)).toEqual([
    'ERR_NSSET_UNSUPPORTED_PLATFORM',
    true,
  ])
})

asRoot('a file system without exec is identified', 'it mounts one', async () => {
  using app = bundledApp()
  const place = app.directory.file('node_modules/nsset')
  const binary = binaryName(place)
  const inside = `mount --bind "$0" "$0"; mount -o remount,bind,noexec "$0"; exec "$@"`
  const command = ['unshare', '--mount', 'sh', '-c', inside, place, process.execPath]
  const { value, stderr } = await app.run(ASK, { command })
  expect((value as LoadFailure | undefined)?.message, `${binary}: ${stderr}`).toMatch(
    /failed to map segment.*; it must be readable, on a file system that is not mounted noexec/,
  )
})

/** Truncates the file to its first part. */
function cut(path: string, parts: number): void {
  const bytes = readFileSync(path)
  writeFileSync(path, bytes.subarray(0, bytes.length / parts))
}

/** Replaces all but the first part with zeros, as an interrupted copy does. */
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

/** The C library of ls(1). */
function anyLibrary(): string {
  const [path] = /\/\S*(libc\.so\.6|ld-musl-\S+)/.exec(execFileSync('ldd', ['/bin/ls'], { encoding: 'utf8' })) ?? []
  if (path === undefined) throw new Error('ls is not linked to a C library')
  return path
}

/** elf(5): the hash of a version name, in little-endian order. */
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
