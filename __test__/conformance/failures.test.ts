/** What `child_process.spawn` cannot start, a set cannot, and both say so in the same way. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { afterAll, describe } from 'vitest'
import { twins } from '../setup/processes/twins.ts'
import { thrownBy, watch } from '../setup/processes/watch-child.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'

const directory = temporaryDirectory()
afterAll(() => directory[Symbol.dispose]())

const PLAIN = directory.file('plain')
const FOLDER = directory.file('folder')
const MISSING = directory.file('missing')
const INTERPRETED = directory.file('interpreted')
writeFileSync(PLAIN, 'no program')
mkdirSync(FOLDER)
writeFileSync(INTERPRETED, '#!/nonexistent/interpreter\n')
chmodSync(INTERPRETED, 0o755)

describe('an event tells of', () => {
  twins('a program that is not there', ({ spawn }) => watch(spawn(MISSING, ['one', 'two'])))
  twins('a name that PATH does not have', ({ spawn }) => watch(spawn('nsset-nonexistent', [])))
  twins('a PATH of its own that does not have it', ({ spawn }) =>
    watch(spawn('true', ['x'], { env: { PATH: FOLDER } })),
  )
  twins('a file that may not be executed', ({ spawn }) => watch(spawn(PLAIN, ['one'])))
  twins('a directory', ({ spawn }) => watch(spawn(FOLDER)))
  twins('a script whose interpreter is not there', ({ spawn }) => watch(spawn(INTERPRETED)))
  twins('a cwd that is not there', ({ spawn }) => watch(spawn('true', ['one'], { cwd: MISSING })))
  twins('a file with its own name as argv0', ({ spawn }) => watch(spawn(MISSING, ['one'], { argv0: 'name' })))
  twins('a shell that is not there', ({ spawn }) => watch(spawn('echo text', [], { shell: MISSING })))
  twins('it without pipes', ({ spawn }) => watch(spawn(MISSING, [], { stdio: 'ignore' })))
  twins('it with more pipes', ({ spawn }) =>
    watch(spawn(MISSING, [], { stdio: ['ignore', 'pipe', 'inherit', 'pipe', 'ignore'] })),
  )
  twins('it while input is written', async ({ spawn }) => {
    const child = spawn(MISSING)
    child.stdin?.end('x'.repeat(1_000_000))
    const { streams, ...seen } = await watch(child)
    // How far the input came is nobody's promise.
    return { ...seen, streams: streams.length }
  })
  twins('it, and kill() does nothing', async ({ spawn }) => {
    const child = spawn(MISSING)
    const seen = watch(child)
    // Before the event there is a handle, which has nobody to signal.
    const before = child.pid
    await seen
    return [before, child.kill(), child.killed, child.kill(0)]
  })
})

describe('it is thrown that', () => {
  const options = { stdio: 'ignore' } as const
  twins('an argument is longer than the kernel takes', ({ spawn }) =>
    thrownBy(() => spawn('true', ['x'.repeat(1_000_000)], options)),
  )
  twins('arguments are more than the kernel takes', ({ spawn }) =>
    thrownBy(() => spawn('true', Array(40).fill('x'.repeat(100_000)), options)),
  )
  twins('the environment is more than the kernel takes', ({ spawn }) =>
    thrownBy(() => spawn('true', [], { ...options, env: { LARGE: 'x'.repeat(1_000_000) } })),
  )
  twins('cwd is no directory', ({ spawn }) => thrownBy(() => spawn('true', [], { ...options, cwd: PLAIN })))
  twins('a descriptor is not open', ({ spawn }) =>
    thrownBy(() => spawn('true', [], { stdio: ['ignore', 9_999, 'ignore'] })),
  )
  twins('a descriptor is not open, beside pipes', ({ spawn }) =>
    thrownBy(() => spawn('true', [], { stdio: ['pipe', 'pipe', 'pipe', 'pipe', 9_999] })),
  )
  twins('a path is longer than the kernel takes', ({ spawn }) =>
    thrownBy(() => spawn(`/${'x'.repeat(5_000)}`, [], options)),
  )
  twins('a name is longer than the kernel takes', ({ spawn }) =>
    thrownBy(() => spawn(`/${'x'.repeat(300)}`, [], options)),
  )
})

describe('misuse is thrown, with the code that Node has:', () => {
  // Not among them: a timeout that is none and a number out of range, which have ERR_INVALID_ARG_TYPE and
  // ERR_INVALID_ARG_VALUE here as everywhere in this package; and words in an array of stdio, which Node takes for
  // input of spawnSync().
  const calls: [string, ...args: unknown[]][] = [
    ['no file'],
    ['a number for a file', 5],
    ['an empty file', ''],
    ['a file with a NUL', 'a\0b'],
    ['text for arguments', 'true', 'x'],
    ['an argument with a NUL', 'true', ['\0']],
    ['a number for options', 'true', [], 5],
    ['null for options', 'true', [], null],
    ['cwd: a number', 'true', [], { cwd: 5 }],
    ['cwd: with a NUL', 'true', [], { cwd: '/\0' }],
    ['argv0: a number', 'true', [], { argv0: 5 }],
    ['argv0: with a NUL', 'true', [], { argv0: '\0' }],
    ['shell: a number', 'true', [], { shell: 5 }],
    ['shell: with a NUL', 'true', [], { shell: '\0' }],
    ['detached: a number', 'true', [], { detached: 1 }],
    ['uid: text', 'true', [], { uid: '0' }],
    ['gid: text', 'true', [], { gid: '0' }],
    ['signal: an object', 'true', [], { signal: {} }],
    ['killSignal: an unknown name', 'true', [], { killSignal: 'SIGNOTHING' }],
    ['killSignal: an unknown number', 'true', [], { killSignal: 1_000 }],
    ['killSignal: an object', 'true', [], { killSignal: {} }],
    ['env: a value with a NUL', 'true', [], { env: { A: '\0' } }],
    ['stdio: an unknown word', 'true', [], { stdio: 'pope' }],
    ['stdio: an object in an array', 'true', [], { stdio: [{}] }],
  ]
  for (const [wrong, ...args] of calls) {
    twins(wrong, ({ spawn }) => thrownBy(() => (spawn as (...args: unknown[]) => unknown)(...args)))
  }
})
