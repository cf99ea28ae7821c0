/** A repository of Debian packages with one that is made for a test (sources.list(5), an exact path). */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { TemporaryDirectory } from '../../sets/temporary-directory.ts'
import type { Files } from './files.ts'

/** The package `tiny`, with the file `/usr/share/tiny/answer`. */
export function aptRepository(host: string, directory: TemporaryDirectory): Files {
  const [place, built] = [directory.file('deb'), directory.file('tiny.deb')]
  const control = [
    'Package: tiny',
    'Version: 1.0',
    'Architecture: all',
    'Maintainer: test <test@example.org>',
    'Description: a tiny package',
  ].join('\n')
  mkdirSync(`${place}/DEBIAN`, { recursive: true })
  mkdirSync(`${place}/usr/share/tiny`, { recursive: true })
  writeFileSync(`${place}/DEBIAN/control`, `${control}\n`)
  writeFileSync(`${place}/usr/share/tiny/answer`, '42\n')
  execFileSync('dpkg-deb', ['--root-owner-group', '--build', place, built], { stdio: 'pipe', timeout: 20_000 })
  const content = readFileSync(built)
  const sum = createHash('sha256').update(content).digest('hex')
  const packages = `${control}\nFilename: ./tiny.deb\nSize: ${content.length}\nSHA256: ${sum}\n`
  return new Map([
    [`${host}/./Packages`, Buffer.from(packages)],
    [`${host}/./tiny.deb`, content],
  ])
}
