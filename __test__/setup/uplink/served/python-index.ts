/** An index of Python packages with one that is made for a test (PEP 503). */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TemporaryDirectory } from '../../sets/temporary-directory.ts'
import type { Files } from './files.ts'

const WHEEL = 'tiny-1.0-py3-none-any.whl'

/** The package `tiny`, whose one module has the value `ANSWER`. */
export function pythonIndex(host: string, directory: TemporaryDirectory): Files {
  const place = directory.file('tiny')
  const info = join(place, 'tiny-1.0.dist-info')
  mkdirSync(info, { recursive: true })
  writeFileSync(join(place, 'tiny.py'), 'ANSWER = 42\n')
  writeFileSync(join(info, 'METADATA'), 'Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n')
  writeFileSync(join(info, 'WHEEL'), 'Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n')
  writeFileSync(
    join(info, 'RECORD'),
    'tiny.py,,\ntiny-1.0.dist-info/METADATA,,\ntiny-1.0.dist-info/WHEEL,,\ntiny-1.0.dist-info/RECORD,,\n',
  )
  const options = { cwd: place, timeout: 20_000 }
  execFileSync('python3', ['-m', 'zipfile', '-c', WHEEL, 'tiny.py', 'tiny-1.0.dist-info/'], options)
  return new Map([
    [`${host}/simple/tiny/`, Buffer.from(`<!DOCTYPE html><a href="/${WHEEL}">${WHEEL}</a>`)],
    [`${host}/${WHEEL}`, readFileSync(join(place, WHEEL))],
  ])
}
