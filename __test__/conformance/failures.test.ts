/** What `child_process.spawn` cannot start, a set cannot start either, and both report the same error. */
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

describe('the error event reports', () => {
  twins('a missing program', ({ spawn }) => watch(spawn(MISSING, ['one', 'two'])))
  twins('a name that is not in PATH', ({ spawn }) => watch(spawn('nsset-nonexistent', [])))
  twins('a name that is not in the PATH of options.env', ({ spawn }) =>
    watch(spawn('true', ['x'], { env: { PATH: FOLDER } })),
  )
  twins('a file without execute permission', ({ spawn }) => watch(spawn(PLAIN, ['one'])))
  twins('a directory', ({ spawn }) => watch(spawn(FOLDER)))
  twins('a script whose interpreter is missing', ({ spawn }) => watch(spawn(INTERPRETED)))
  twins('a missing cwd', ({ spawn }) => watch(spawn('true', ['one'], { cwd: MISSING })))
  twins('a missing file with its own name as argv0', ({ spawn }) => watch(spawn(MISSING, ['one'], { argv0: 'name' })))
  twins('a missing shell', ({ spawn }) => watch(spawn('echo text', [], { shell: MISSING })))
  twins('a failure without pipes', ({ spawn }) => watch(spawn(MISSING, [], { stdio: 'ignore' })))
  twins('a failure with additional pipes', ({ spawn }) =>
    watch(spawn(MISSING, [], { stdio: ['ignore', 'pipe', 'inherit', 'pipe', 'ignore'] })),
  )
  twins('a failure while input is written', async ({ spawn }) => {
    const child = spawn(MISSING)
    child.stdin?.end('x'.repeat(1_000_000))
    const { streams, ...seen } = await watch(child)
    // How much of the input is written is undefined.
    return { ...seen, streams: streams.length }
  })
  twins('a failure, and kill() does nothing', async ({ spawn }) => {
    const child = spawn(MISSING)
    const seen = watch(child)
    // Before the event there is a handle, but no process to signal.
    const before = child.pid
    await seen
    return [before, child.kill(), child.killed, child.kill(0)]
  })
})

describe('a synchronous error reports', () => {
  const options = { stdio: 'ignore' } as const
  twins('an argument longer than the kernel’s limit', ({ spawn }) =>
    thrownBy(() => spawn('true', ['x'.repeat(1_000_000)], options)),
  )
  twins('more arguments than the kernel’s limit', ({ spawn }) =>
    thrownBy(() => spawn('true', Array(40).fill('x'.repeat(100_000)), options)),
  )
  twins('an environment larger than the kernel’s limit', ({ spawn }) =>
    thrownBy(() => spawn('true', [], { ...options, env: { LARGE: 'x'.repeat(1_000_000) } })),
  )
  twins('a cwd that is not a directory', ({ spawn }) => thrownBy(() => spawn('true', [], { ...options, cwd: PLAIN })))
  twins('a descriptor that is not open', ({ spawn }) =>
    thrownBy(() => spawn('true', [], { stdio: ['ignore', 9_999, 'ignore'] })),
  )
  twins('a descriptor that is not open, beside pipes', ({ spawn }) =>
    thrownBy(() => spawn('true', [], { stdio: ['pipe', 'pipe', 'pipe', 'pipe', 9_999] })),
  )
  twins('a path longer than the kernel’s limit', ({ spawn }) =>
    thrownBy(() => spawn(`/${'x'.repeat(5_000)}`, [], options)),
  )
  twins('a name longer than the kernel’s limit', ({ spawn }) =>
    thrownBy(() => spawn(`/${'x'.repeat(300)}`, [], options)),
  )
})

describe('invalid arguments throw Node’s error codes:', () => {
  // Not included: an invalid timeout and an out-of-range number, which have ERR_INVALID_ARG_TYPE and
  // ERR_INVALID_ARG_VALUE here, as everywhere in this package; and unknown words in a stdio array, which Node.js takes
  // for input of spawnSync().
  const calls: [string, ...args: unknown[]][] = [
    ['no file'],
    ['file: a number', 5],
    ['file: empty', ''],
    ['file: with a NUL', 'a\0b'],
    ['args: a string', 'true', 'x'],
    ['args: with a NUL', 'true', ['\0']],
    ['options: a number', 'true', [], 5],
    ['options: null', 'true', [], null],
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
