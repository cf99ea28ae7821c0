/**
 * Programs of every form describe their surroundings: code in `set.worker` cannot distinguish it from a Worker of
 * Node.js, except by its namespaces.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Worker, type WorkerOptions } from 'node:worker_threads'
import { type NamespaceKind, NamespaceSet } from 'nsset'
import { afterAll, describe, expect } from 'vitest'
import { setPlace } from '../setup/guards/thread-place.ts'
import { type Life, lifeOf, REPORT } from '../setup/processes/worker-life.ts'
import { asRoot } from '../setup/sets/privilege.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'

const REASON = "an ordinary user's thread may not enter its own namespaces (setns(2))"

const DESCRIBE = `{ ${REPORT}
  report(place())
  report({
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
  parentPort.once('message', (message) => { report(['received', message]); parentPort.close() })
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
  ['a CommonJS file', commonjs],
  ['a CommonJS file, by its URL', pathToFileURL(commonjs)],
  ['a module', module],
  ['a module, by the type in package.json', typed],
  ['a module, by its syntax', detected],
  ['a TypeScript file, or the error of a Node.js version without type stripping', typescript],
  ['a script', DESCRIBE, { eval: true }],
  [
    'a strict script',
    `'use strict'; ${DESCRIBE}; try { undeclared = 1 } catch { parentPort.postMessage('strict') }`,
    { eval: true },
  ],
  ['a script that fails in strict mode', `with ({}) {}; undeclared = 1; 'use strict'; ${DESCRIBE}`, { eval: true }],
  ['a script with a hashbang', `#!/usr/bin/env node\n${DESCRIBE}`, { eval: true }],
  ['a script that imports', `import(${JSON.stringify(module)})`, { eval: true }],
  ['module source', `import ${JSON.stringify(module)}; import.meta.url`, { eval: true }],
  ['module source that imports CommonJS', `import ${JSON.stringify(commonjs)}`, { eval: true }],
  ['module source, by --input-type', DESCRIBE, { eval: true, execArgv: ['--input-type=module'] }],
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
  ['a thrown error', "\n\nthrow new RangeError('mine')", { eval: true }],
  ['an error thrown by a module', file('throws.mjs', "throw Object.assign(new RangeError('mine'), { code: 'MINE' })")],
  ['an error thrown by a file', file('throws.cjs', "throw new RangeError('mine')")],
  ['a thrown value that is not an error', 'throw 5', { eval: true }],
  ['an unhandled rejection', "Promise.reject(new Error('mine'))", { eval: true }],
  ['source that is neither script nor module', 'const = 5', { eval: true }],
  ['a missing file', join(directory.path, 'nowhere.cjs')],
  ['a missing module', join(directory.path, 'nowhere.mjs')],
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
          describedBy(new Worker(filename, { execArgv: [], ...options })),
          describedBy(set.worker(filename, { execArgv: [], ...options })),
        ])
        expect(ours.life).toEqual(theirs.life)
        if (theirs.place !== undefined) expect(ours.place).toEqual({ ...theirs.place, ...setPlace(set) })
      })
    }
  })
}

async function describedBy(worker: Worker): Promise<{ place: unknown; life: unknown }> {
  worker.postMessage({ hello: 'there' })
  const { messages, error, exitCode }: Life<unknown> = await lifeOf(worker)
  const [place, ...rest] = messages
  const failure = error instanceof Error ? [error.name, error.code, error.message] : error
  return { place, life: { rest, failure, exitCode, hasError: error !== undefined } }
}
