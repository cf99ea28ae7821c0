/** The options of a program in a box, next to those that the box has by default, and wrong ones. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type ExecFileOptions, NamespaceSet, type SpawnOptions } from 'nsset'
import { Sandbox } from 'nsset/sandbox'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { failureOf } from '../setup/sets/failure.ts'

let box: Sandbox
beforeAll(async () => {
  process.env['NSSET_TEST_SECRET'] = 'secret'
  box = await Sandbox.create()
})
afterAll(async () => {
  delete process.env['NSSET_TEST_SECRET']
  await box.close()
})

/** The names of all that a program may be given. */
const NAMES = ['env', 'cwd', 'capabilities', 'seccomp', 'noNewPrivileges', 'killSignal', 'limits', 'cgroup', 'timeout']
const STATUS = 'grep -E "^(Cap|NoNewPrivs|Seccomp:)" /proc/self/status; pwd; env | sort'

describe('an option without a value removes no protection', () => {
  test.each([undefined, null])('%s', async (nothing) => {
    const names = nothing === null ? NAMES.filter((name) => !['limits', 'cgroup'].includes(name)) : NAMES
    const options = Object.fromEntries(names.map((name) => [name, nothing]))
    const byDefault = await box.execFile('sh', ['-c', STATUS])
    const { stdout } = await box.execFile('sh', ['-c', STATUS], options as ExecFileOptions<'utf8'>)
    expect(stdout).toBe(byDefault.stdout)
    expect(stdout).toMatch(/^NoNewPrivs:\t1\nSeccomp:\t2$/m)
    expect(stdout).not.toContain('NSSET_TEST_SECRET')

    const child = box.spawn('sh', ['-c', STATUS], { ...options, stdio: ['ignore', 'pipe', 'inherit'] } as SpawnOptions)
    const chunks = await child.stdout?.toArray()
    expect(String(Buffer.concat(chunks ?? []))).toBe(stdout)
  })

  test('and an option of the prototype counts, as in Node.js', async () => {
    const { stdout } = await box.execFile('pwd', [], Object.create({ cwd: '/usr' }) as ExecFileOptions<'utf8'>)
    expect(stdout).toBe('/usr\n')
  })
})

describe('wrong arguments are refused, before anything is started, of', () => {
  const wrong: [unknown[], string][] = [
    [[[], { timeout: Number.NaN }], 'options.timeout'],
    [[[], { timeout: 2 ** 31 }], 'options.timeout'],
    [[[], { timeout: -1 }], 'options.timeout'],
    [[[], { timeout: '5' }], 'options.timeout'],
    [[[], { kinds: ['net'] }], 'options.kinds'],
    [['-l'], 'args'],
    [[['a', 7]], 'args[1]'],
    [[[], 'utf8'], 'options'],
    [[[], { timeuot: 5 }], "did you mean 'timeout'"],
  ]
  const ways = {
    execFile: (args: unknown[]) => box.execFile('true', ...(args as [])),
    spawn: (args: unknown[]) => box.spawn('true', ...(args as [])),
    fork: (args: unknown[]) => box.fork('/dev/null', ...(args as [])),
  }

  test.each(Object.entries(ways))('%s', async (_, call) => {
    for (const [args, message] of wrong) {
      expect(await failureOf(async () => call(args))).toMatchObject({
        code: expect.stringMatching(/^ERR_INVALID_ARG_(?:TYPE|VALUE)$/),
        message: expect.stringContaining(message),
      })
    }
    expect(box.closed).toBe(false)
  })
})

test('an aborted signal of spawn ends everything in the box, too', async () => {
  await using own = await Sandbox.create()
  const other = own.spawn('sleep', ['60'], { stdio: 'ignore' })
  const controller = new AbortController()
  const child = own.spawn('sleep', ['60'], { stdio: 'ignore', signal: controller.signal })
  const over = Promise.all([once(other, 'exit'), new Promise<Error>((resolve) => child.once('error', resolve))])
  controller.abort()
  const [exit, error] = await over
  expect(exit).toEqual([null, 'SIGKILL'])
  expect(error.name).toBe('AbortError')
  expect(own.closed).toBe(true)
})

test('an error of a child that has no listener is thrown, as that of any child', async () => {
  await using set = await NamespaceSet.unshare('user', { mapUser: 'root' })
  for (const spawn of [set.spawn.bind(set), box.spawn.bind(box)] as (typeof box.spawn)[]) {
    const child = spawn('true', [], { stdio: 'ignore' })
    expect(() => child.emit('error', new Error('of the test'))).toThrow('of the test')
    await once(child, 'exit')
  }
})

describe('a program that does its worst ends with its box', () => {
  const worst = {
    'signals everything that it sees': 'kill -9 -1; kill -9 1; sleep 60',
    'leaves its session twice': '(setsid sh -c "(setsid sleep 60 &) ; sleep 60" &); sleep 60',
    'ignores every signal': 'trap "" HUP INT QUIT TERM USR1 USR2 PIPE; sleep 60; sleep 60',
    'stops itself': 'kill -STOP $$; sleep 60',
    'writes what is never read': 'cat /dev/zero',
    'reads what is never written': 'cat',
  }

  test.each(Object.entries(worst))('%s', async (_, script) => {
    const own = await Sandbox.create()
    const child = own.spawn('sh', ['-c', script])
    const over = once(child, 'exit')
    await once(child, 'spawn')
    await own.close()
    const [code, signal] = await over
    expect(code === null ? signal : code).not.toBe(0)
    expect(() => readFileSync(`/proc/${child.pid}/status`)).toThrow('ENOENT')
  })
})

test('boxes that are created, used and closed at the same time do not disturb each other', async () => {
  const all = await Promise.allSettled(
    Array.from({ length: 24 }, async (_, index) => {
      const own = await Sandbox.create()
      const program = own.execFile('sh', ['-c', `echo ${index}; ${index % 3 === 0 ? 'sleep 60' : ''}`])
      program.catch(() => undefined)
      if (index % 3 === 0) await own.close()
      const { stdout } = await program
      await Promise.all([own.close(), own.close()])
      return stdout
    }),
  )
  const expected = all.map((_, index) => (index % 3 === 0 ? 'rejected' : `${index}\n`))
  expect(all.map((one) => (one.status === 'fulfilled' ? one.value : one.status))).toEqual(expected)
})
