/**
 * Programs of every form, told to describe what they find: what runs in `set.worker` cannot tell that from a Worker of
 * Node's own, except by where it is.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Worker, type WorkerOptions } from 'node:worker_threads'
import { type NamespaceKind, NamespaceSet } from 'nsset'
import { afterAll, describe, expect } from 'vitest'
import { setPlace } from '../setup/guards/thread-place.ts'
import { type Life, lifeOf, TELL } from '../setup/processes/worker-life.ts'
import { asRoot } from '../setup/sets/privilege.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'

const REASON = "an ordinary user's thread may not enter the namespaces it owns (setns(2))"

const DESCRIBE = `{ ${TELL}
  tell(place())
  tell({
    argv: process.argv, execArgv: process.execArgv, env: process.env, title: process.title, cwd: process.cwd(),
    workerData, globals: Reflect.ownKeys(globalThis).map(String).sort(), self: typeof this,
    directory: fs.readlinkSync('/proc/thread-self/cwd'),
    name: builtin('worker_threads').threadName,
    limits: builtin('worker_threads').resourceLimits,
    hasText: '_eval' in process,
    main: process.mainModule?.filename,
    ...(typeof require === 'function' && {
      isMain: require.main === module, filename: __filename, paths: module.paths, id: module.id, parent: module.parent,
    }),
  })
  parentPort.once('message', (message) => { tell(['heard', message]); parentPort.close() })
}`

const directory = temporaryDirectory()
afterAll(() => directory[Symbol.dispose]())

function file(name: string, content: string): string {
  writeFileSync(directory.file(name), content)
  return directory.file(name)
}

mkdirSync(directory.file('module'))
const commonjs = file('file.cjs', `'use strict'; ${DESCRIBE}`)
const module = file('file.mjs', `await import.meta.url; ${DESCRIBE}`)
const typed = file('module/package.json', '{ "type": "module" }').replace('package.json', 'file.js')
writeFileSync(typed, `import 'node:fs'; ${DESCRIBE}`)
const detected = file('detected.js', `import 'node:fs'; ${DESCRIBE}`)
const typescript = file('file.ts', `const five: number = 5; ${DESCRIBE}`)

type Program = readonly [name: string, filename: string | URL, options?: WorkerOptions]

const PROGRAMS: Program[] = [
  ['a file of CommonJS', commonjs],
  ['a file of CommonJS, by a URL', pathToFileURL(commonjs)],
  ['a module', module],
  ['a module, by its package', typed],
  ['a module, by its syntax', detected],
  ['a file of TypeScript, or the error that this Node has for it', typescript],
  ['a script', DESCRIBE, { eval: true }],
  [
    'a strict script',
    `'use strict'; ${DESCRIBE}; try { undeclared = 1 } catch { parentPort.postMessage('strict') }`,
    { eval: true },
  ],
  ['a script that strictness would break', `with ({}) {}; undeclared = 1; 'use strict'; ${DESCRIBE}`, { eval: true }],
  ['a script with a hashbang', `#!/usr/bin/env node\n${DESCRIBE}`, { eval: true }],
  ['a script that imports', `import(${JSON.stringify(module)})`, { eval: true }],
  ['the text of a module', `import ${JSON.stringify(module)}; import.meta.url`, { eval: true }],
  ['the text of a module that imports CommonJS', `import ${JSON.stringify(commonjs)}`, { eval: true }],
  ['the text of a module, by --input-type', DESCRIBE, { eval: true, execArgv: ['--input-type=module'] }],
  ['a data: URL', new URL(`data:text/javascript,${encodeURIComponent(DESCRIBE)}`)],
  [
    'all options',
    commonjs,
    {
      argv: ['one', 2],
      env: { FOO: 'bar' },
      execArgv: ['--no-warnings'],
      workerData: { some: new Map([['data', 1n]]) },
      resourceLimits: { maxOldGenerationSizeMb: 64 },
      name: 'worker of mine',
    },
  ],
  ['an error that is thrown', "\n\nthrow new RangeError('mine')", { eval: true }],
  ['an error of a module', file('throws.mjs', "throw Object.assign(new RangeError('mine'), { code: 'MINE' })")],
  ['an error of a file', file('throws.cjs', "throw new RangeError('mine')")],
  ['what is thrown and no error', 'throw 5', { eval: true }],
  ['a rejection that nobody handles', "Promise.reject(new Error('mine'))", { eval: true }],
  ['a text that is neither script nor module', 'const = 5', { eval: true }],
  ['a file that is not there', join(directory.path, 'nowhere.cjs')],
  ['a module that is not there', join(directory.path, 'nowhere.mjs')],
  ['process.exit', 'process.exit(7)', { eval: true }],
]

const SETS: NamespaceKind[][] = [
  ['net', 'uts'],
  ['net', 'mnt'],
]

for (const kinds of SETS) {
  describe(`in ${kinds.join(' and ')}`, () => {
    for (const [name, filename, options] of PROGRAMS) {
      asRoot(name, REASON, async () => {
        using set = NamespaceSet.unshareSync(kinds)
        const [theirs, ours] = await Promise.all([
          told(new Worker(filename, { execArgv: [], ...options })),
          told(set.worker(filename, { execArgv: [], ...options })),
        ])
        expect(ours.life).toEqual(theirs.life)
        if (theirs.place !== undefined) expect(ours.place).toEqual({ ...theirs.place, ...setPlace(set) })
      })
    }
  })
}

async function told(worker: Worker): Promise<{ place: unknown; life: unknown }> {
  worker.postMessage({ hello: 'there' })
  const { messages, error, exitCode }: Life<unknown> = await lifeOf(worker)
  const [place, ...rest] = messages
  const said = error instanceof Error ? [error.name, error.code, error.message] : error
  return { place, life: { rest, said, exitCode, hasError: error !== undefined } }
}
