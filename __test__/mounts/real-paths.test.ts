/** Where paths lead to, compared with realpath(1). */
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { realPaths } from 'nsset'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'

const isRoot = process.getuid?.() === 0

test('each path leads where realpath(1) says, and a missing one nowhere', async () => {
  using directory = temporaryDirectory()
  mkdirSync(directory.file('a/b'), { recursive: true })
  writeFileSync(directory.file('a/b/file'), '')
  symlinkSync('a/b', directory.file('link'))
  symlinkSync('missing', directory.file('dangling'))
  const there = ['a/../a/b/file', 'link/file', 'link', 'a/./b/', '.'].map((name) => `${directory.path}/${name}`)
  const missing = ['dangling', 'missing/file', 'a/b/file/below'].map((name) => `${directory.path}/${name}`)
  const said = execFileSync('realpath', there, { encoding: 'utf8' }).trim().split('\n')
  expect(await realPaths([...there, ...missing])).toEqual([...said, undefined, undefined, undefined])
})

test('a path may be relative, a URL, and no UTF-8', async () => {
  using directory = temporaryDirectory()
  const odd = Buffer.concat([Buffer.from(directory.file('odd-')), Buffer.from([0xff, 0xfe])])
  writeFileSync(odd, '')
  symlinkSync(odd, directory.file('link'))
  const given = ['.', pathToFileURL(directory.path), odd, directory.file('link')]
  expect(await realPaths(given)).toEqual([process.cwd(), directory.path, odd, odd])
  expect(await realPaths([])).toEqual([])
})

test('what is in a directory that the caller may not search is an error, and root may search all', async () => {
  using directory = temporaryDirectory()
  mkdirSync(directory.file('closed'))
  writeFileSync(directory.file('closed/file'), '')
  chmodSync(directory.file('closed'), 0)
  const file = directory.file('closed/file')
  const failure = { name: 'NamespaceError', code: 'EACCES', syscall: 'realpath', path: file }
  if (isRoot) expect(await realPaths([file])).toEqual([file])
  else await expect(realPaths([file])).rejects.toMatchObject(failure)
  chmodSync(directory.file('closed'), 0o700)
})

test('links in a circle are an error', async () => {
  using directory = temporaryDirectory()
  symlinkSync('circle', directory.file('circle'))
  const failure = { name: 'NamespaceError', code: 'ELOOP', syscall: 'realpath', path: directory.file('circle') }
  await expect(realPaths([directory.path, directory.file('circle')])).rejects.toMatchObject(failure)
})

test('arguments that are no paths are refused by name', async () => {
  await expect(realPaths('/usr' as never)).rejects.toThrow(/paths/)
  await expect(realPaths([1 as never])).rejects.toThrow(/paths\[0\]/)
  await expect(realPaths(['a\0b'])).rejects.toThrow(/NUL/)
})
