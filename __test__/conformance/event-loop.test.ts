/** How long a Node.js process lives, and how it exits, with a child of a set and with one of `child_process.spawn`. */
import { describe, expect, test } from 'vitest'
import { runPlainNode } from '../setup/programs/plain-node.ts'
import { isRoot } from '../setup/sets/privilege.ts'

const INSIDE = `
  import { NamespaceSet } from 'nsset'
  const set = NamespaceSet.unshareSync(${isRoot ? "'uts'" : "['user', 'uts'], { mapUser: 'root' }"})
  globalThis.held = set // otherwise it is collected, with a warning
  const [spawn, fork] = [set.spawn.bind(set), set.fork.bind(set)]
`
const OUTSIDE = `import { fork, spawn } from 'node:child_process'\n`
const HEADING = `
  const quiet = { stdio: 'ignore' }
  const say = (...words) => console.log(...words)
  process.on('exit', (code) => say('end', code))
`

/** Runs the code in two Node.js processes, which must both print the expected output. */
function twins(
  name: string,
  script: string,
  expected: { stdout?: string; code?: number; complaint?: RegExp } = {},
): void {
  test(name, async () => {
    const outside = await runPlainNode(OUTSIDE + HEADING + script)
    const inside = await runPlainNode(INSIDE + HEADING + script)
    const outcomeOf = ({ stdout, code, signal }: typeof inside) => ({ stdout, code, signal })
    expect(outcomeOf(inside), inside.stderr).toEqual(outcomeOf(outside))
    if (expected.stdout !== undefined) expect(outside.stdout).toBe(expected.stdout)
    expect(outside.code).toBe(expected.code ?? 0)
    for (const { stderr } of [outside, inside]) expect(stderr).toMatch(expected.complaint ?? /^$/)
  })
}

describe('the event loop', () => {
  twins('keeps running while a child runs', `spawn('sleep', ['0.1'], quiet).on('exit', (code) => say('exit', code))`, {
    stdout: 'exit 0\nend 0\n',
  })
  twins(
    'does not wait for an unref()ed child',
    `const child = spawn('sleep', ['2'], quiet)
    child.unref()
    child.on('exit', () => say('unexpected'))`,
    { stdout: 'end 0\n' },
  )
  twins(
    'waits for the streams of an unref()ed child',
    `const child = spawn('sh', ['-c', 'sleep 0.1; echo text'])
    child.unref()
    child.stdout.on('data', (text) => say(String(text).trim())).on('close', () => say('close of stdout'))`,
  )
  twins(
    'does not wait for unref()ed streams of an unref()ed child',
    `const child = spawn('sh', ['-c', 'sleep 2; echo text'])
    for (const one of [child, ...child.stdio]) one.unref()`,
    { stdout: 'end 0\n' },
  )
  twins(
    'waits again after ref()',
    `const child = spawn('sleep', ['0.1'], quiet)
    child.unref()
    child.ref()
    child.on('exit', () => say('exit'))`,
    { stdout: 'exit\nend 0\n' },
  )
  twins(
    'ignores ref() and unref() of an exited child',
    `const child = spawn('true', [], quiet).on('close', () => { child.ref(); child.unref(); child.ref() })`,
    { stdout: 'end 0\n' },
  )
  twins(
    'does not wait for a child that failed to start',
    `spawn('/nonexistent').on('error', ({ code }) => say(code))`,
    {
      stdout: 'ENOENT\nend 0\n',
    },
  )
  twins(
    'reports the exit of an unref()ed child while other work keeps it running',
    `spawn('true', [], quiet).on('exit', () => say('exit')).unref()
    setTimeout(say, 300, 'later')`,
    { stdout: 'exit\nlater\nend 0\n' },
  )
  twins(
    'waits for the timeout of a running child, not of an exited one',
    `spawn('true', [], { ...quiet, timeout: 20_000 }).on('exit', () => say('exit'))`,
    { stdout: 'exit\nend 0\n' },
  )
  twins(
    'ends when an exit handler calls process.exit()',
    `spawn('true', [], quiet).on('exit', () => process.exit(5))`,
    {
      stdout: 'end 5\n',
      code: 5,
    },
  )
})

describe('an unhandled error', () => {
  twins('ends Node', `spawn('/nonexistent')`, {
    code: 1,
    complaint: /Unhandled 'error' event[\s\S]*spawn \/nonexistent ENOENT|ENOENT[\s\S]*spawn \/nonexistent/,
  })
  twins(
    'thrown by an exit handler ends Node.js',
    `spawn('true', [], quiet).on('exit', () => { throw new Error('on purpose') })`,
    {
      code: 1,
      complaint: /on purpose/,
    },
  )
  twins(
    'thrown by an exit handler is an uncaughtException',
    `process.on('uncaughtException', (error, origin) => say(error.message, origin))
    spawn('true', [], quiet).on('exit', () => { throw new Error('on purpose') })
    spawn('sh', ['-c', 'sleep 0.2'], quiet).on('exit', () => say('the other exits, too'))`,
    { stdout: 'on purpose uncaughtException\nthe other exits, too\nend 0\n' },
  )
  twins(
    'of an asynchronous handler is an unhandledRejection',
    `process.on('unhandledRejection', (error) => say(error.message))
    spawn('true', [], quiet).on('exit', async () => { throw new Error('on purpose') })`,
    { stdout: 'on purpose\nend 0\n' },
  )
})

twins(
  'ticks and microtasks run between the ends of two children',
  `let left = 2
  const order = []
  for (const name of ['one', 'other']) spawn('true', [], quiet).on('exit', () => {
    order.push('exit')
    process.nextTick(() => order.push('tick'))
    Promise.resolve().then(() => order.push('microtask'))
    if (--left === 0) setImmediate(() => say(order.join(' ')))
  })
  const until = Date.now() + 200
  while (Date.now() < until);`,
)

twins(
  'the child_process channel of diagnostics_channel reports the child',
  `import { subscribe } from 'node:diagnostics_channel'
  subscribe('child_process', ({ process: child }) => say('started', child.constructor.name.includes('ChildProcess')))
  spawn('true', [], quiet)`,
  { stdout: 'started true\nend 0\n' },
)

describe('stdio of the Node.js process', () => {
  twins('inherited', `spawn('sh', ['-c', 'echo out; readlink /proc/self/fd/0'], { stdio: 'inherit' })`)
  twins('mixed', `spawn('sh', ['-c', 'echo out'], { stdio: ['ignore', 'inherit', 'pipe'] })`)
  twins(
    'passed as streams',
    `spawn('sh', ['-c', 'echo out'], { stdio: [process.stdin, process.stdout, process.stderr] })`,
  )
})

describe('the channel of fork()', () => {
  const module = "new URL('__test__/setup/programs/forked.cjs', 'file://' + process.cwd() + '/')"
  twins(
    'keeps the event loop running',
    `const child = fork(${module}, ['wait'], { execArgv: [], silent: true })
    child.unref()
    child.on('message', () => { say('message'); child.disconnect() })`,
    { stdout: 'message\nend 0\n' },
  )
  twins(
    'does not keep it running when unref()ed',
    `const child = fork(${module}, ['wait'], { execArgv: [], stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
    child.unref()
    child.channel.unref()
    child.on('message', () => say('unexpected'))`,
    { stdout: 'end 0\n' },
  )
  twins(
    'keeps it running again after ref()',
    `const child = fork(${module}, ['wait'], { execArgv: [], stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
    child.unref()
    child.channel.unref()
    child.channel.ref()
    child.on('message', () => { say('message'); child.disconnect() })`,
    { stdout: 'message\nend 0\n' },
  )
})
