/** What installing.md says about CommonJS files in TypeScript, with this project's compiler. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

const STATIC = `import { NamespaceSet } from 'nsset'
export const id: string = NamespaceSet.current('net').id()
`
const REQUIRED = `import nsset = require('nsset')
export const id: string = nsset.NamespaceSet.current('net').id()
`
const DYNAMIC = `export async function id(): Promise<string> {
  const { NamespaceSet } = await import('nsset')
  return NamespaceSet.current('net').id()
}
`

test.each([
  ['nodenext', STATIC, []],
  ['nodenext', REQUIRED, []],
  ['node20', STATIC, []],
  ['node18', STATIC, ['TS1479']],
  ['node16', STATIC, ['TS1479']],
  ['node16', DYNAMIC, []],
  // The types are found: a type error is reported.
  ['nodenext', STATIC.replace('id: string', 'id: number'), ['TS2322']],
])(
  'with module %s, a CommonJS file with %j compiles with the errors %j',
  (module, code, errors) => {
    using project = temporaryDirectory()
    mkdirSync(project.file('node_modules'))
    symlinkSync(ROOT, project.file('node_modules/nsset'))
    symlinkSync(join(ROOT, 'node_modules/@types'), project.file('node_modules/@types'))
    writeFileSync(project.file('main.cts'), code)
    const compilerOptions = {
      module,
      target: 'es2022',
      lib: ['es2023', 'esnext.disposable'],
      strict: true,
      noEmit: true,
      skipLibCheck: true,
    }
    writeFileSync(project.file('tsconfig.json'), JSON.stringify({ compilerOptions, files: ['main.cts'] }))
    const { stdout } = spawnSync(join(ROOT, 'node_modules/.bin/tsc'), ['--project', project.path], {
      encoding: 'utf8',
      timeout: 60_000,
    })
    expect(stdout.match(/TS\d+/g) ?? []).toEqual(errors)
  },
  60_000,
)
