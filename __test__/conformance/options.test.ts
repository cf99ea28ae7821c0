/** Options of `child_process.spawn` have the same meaning in a set. */
import type { SpawnOptions } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { setTimeout as pass } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { readStat } from '../setup/guards/proc-stat.ts'
import { eventually } from '../setup/guards/resources.ts'
import {
  type Scene,
  type Starter,
  twins,
  twinsAsRoot,
  twinsWithSameMounts,
  twinsWithSamePids,
} from '../setup/processes/twins.ts'
import { watch } from '../setup/processes/watch-child.ts'
import { anyonesSet } from '../setup/sets/anyones-set.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'

const directory = temporaryDirectory()
chmodSync(directory.path, 0o755)
const FOLDER = directory.file('a folder')
mkdirSync(FOLDER)
afterAll(() => directory[Symbol.dispose]())

/** Runs a program with these options until it exits. */
const run =
  (file: string, args: string[], options: SpawnOptions): Scene =>
  ({ spawn }: Starter) =>
    watch(spawn(file, args, options))

describe('cwd', () => {
  twins('a path', run('pwd', [], { cwd: FOLDER }))
  twinsWithSameMounts('defaults to the caller’s', run('pwd', ['-P'], {}))
  twinsWithSameMounts('resolves a relative path against the caller’s', run('pwd', ['-P'], { cwd: '__test__' }))
  twins('a URL', run('pwd', [], { cwd: pathToFileURL(FOLDER) }))
  for (const cwd of [null, undefined]) {
    twinsWithSameMounts(`${cwd} is ignored`, run('pwd', ['-P'], { cwd: cwd as never }))
  }
  twins('is where a relative file is found', ({ spawn }) => {
    writeFileSync(`${FOLDER}/script`, '#!/bin/sh\necho "$0"\n')
    chmodSync(`${FOLDER}/script`, 0o755)
    return watch(spawn('./script', [], { cwd: FOLDER }))
  })
  twins('is where a relative PATH starts', ({ spawn }) =>
    watch(spawn('script', [], { cwd: FOLDER, env: { PATH: '.:/usr/bin:/bin' } })),
  )
})

describe('env', () => {
  const environments: Record<string, unknown> = {
    'defaults to the caller’s': undefined,
    'null means the caller’s': null,
    'may be empty': {},
    'omits undefined values': { ONE: '1', TWO: undefined, THREE: '' },
    'converts numbers and booleans to text': { NUMBER: 5, BOOLEAN: false, NEGATIVE: -0.5 },
    'includes inherited properties': Object.create({ INHERITED: 'yes' }, { OWN: { value: 'yes', enumerable: true } }),
    'may have no prototype': Object.assign(Object.create(null), { ONE: '1' }),
    'preserves order': { B: '1', A: '2', 9: 'nine', C: '3' },
    'accepts any text': { 'with space': 'é "$\'\n', LONG: 'x'.repeat(100_000) },
  }
  for (const [name, env] of Object.entries(environments)) {
    twins(name, run('/usr/bin/env', ['-0'], { env: env as Record<string, string> }))
  }
  twins('of process.env is read when the child starts', async ({ spawn }) => {
    process.env['NSSET_TEST'] = 'before'
    const child = spawn('/usr/bin/env', [])
    delete process.env['NSSET_TEST']
    const { streams } = await watch(child)
    return String(streams[1]).includes('NSSET_TEST=before')
  })
  twins(
    'provides the PATH that is searched, instead of the caller’s',
    run('env', [], { env: { PATH: '/usr/bin:/bin' } }),
  )
})

describe('argv0', () => {
  twins(
    'is the argv[0] of the program',
    run('sh', ['-c', 'tr "\\0" "|" < /proc/self/cmdline; echo "$0"'], { argv0: 'x' }),
  )
  twins('is the first word of /proc/self/cmdline', run('cat', ['/proc/self/cmdline'], { argv0: 'another name' }))
  twins('may be empty', run('cat', ['/proc/self/cmdline'], { argv0: '' }))
})

describe('arguments', () => {
  twins('are passed unchanged', run('printf', ['%s|', '', ' a b ', '$HOME', '"', "'", '*', '\n', 'é', '\\'], {}))
  twins('may be null', ({ spawn }) => watch(spawn('true', null)))
  twins('may be omitted', ({ spawn }) =>
    watch((spawn as unknown as (...args: unknown[]) => never)('pwd', { cwd: '/' })),
  )
})

describe('shell', () => {
  twins('true', run('echo "$0"; exit 3', [], { shell: true }))
  twins('joins arguments with spaces', run('echo', ['a  b', '"c  d"', '$((1 + 2))', '; echo $#'], { shell: true }))
  twins('runs another shell', run('echo "$0" $BASH_VERSION', [], { shell: '/bin/bash' }))
  twins('finds another shell in PATH', run('echo "$0"', [], { shell: 'bash' }))
  twins('false', run('echo', ['$HOME'], { shell: false }))
  twins('empty text', run('echo', ['$HOME'], { shell: '' }))
  twins('with argv0', run('echo "$0"', [], { shell: true, argv0: 'name' }))
  twins('of a missing command', run('nsset-nonexistent', [], { shell: true, stdio: ['ignore', 'pipe', 'ignore'] }))
})

describe('uid and gid', () => {
  const ids = { cwd: '/', stdio: ['ignore', 'pipe', 'pipe'] } satisfies SpawnOptions
  const REASON = 'changing the user and group ids requires CAP_SETUID and CAP_SETGID'
  // Root of a user namespace may have capabilities there that root outside lacks.
  const script = 'id -u; id -g; id -G; grep -E "^(Uid|Gid|Groups|Cap(Inh|Amb)):" /proc/self/status'
  for (const options of [
    { uid: 1234, gid: 1234 },
    { uid: 1234 },
    { gid: 1234 },
    { uid: 0, gid: 0 },
    { uid: 1, gid: 2 },
  ]) {
    twinsAsRoot(JSON.stringify(options), REASON, run('sh', ['-c', script], { ...ids, ...options }))
  }
  twins(
    'of the caller',
    run('sh', ['-c', 'id -u; id -g'], { ...ids, uid: process.getuid?.(), gid: process.getgid?.() }),
  )
  twins('null is ignored', run('sh', ['-c', 'id -u; id -g'], { ...ids, uid: null as never, gid: null as never }))
  twinsAsRoot('a file that the new user may not execute', REASON, async ({ spawn }) => {
    writeFileSync(directory.file('private'), '#!/bin/sh\n')
    chmodSync(directory.file('private'), 0o700)
    return watch(spawn(directory.file('private'), [], { ...ids, uid: 1234, gid: 1234 }))
  })
  twinsAsRoot('a cwd that the new user may not enter: Node.js changes to it first', REASON, async ({ spawn }) => {
    const cwd = directory.file('closed')
    mkdirSync(cwd, { recursive: true, mode: 0o700 })
    return watch(spawn('true', [], { ...ids, cwd, uid: 1234, gid: 1234 }))
  })
})

describe('detached', () => {
  /** Whether the child leads its own session and process group. */
  const leads = (pid: number) => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const [, , group, session] = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number)
    const own = readFileSync('/proc/self/stat', 'latin1').split(') ')[1]?.split(' ').map(Number) ?? []
    return {
      group: group === pid ? 'its own' : group === own[2] ? 'the caller’s' : group,
      session: session === pid ? 'its own' : session === own[3] ? 'the caller’s' : session,
    }
  }
  for (const detached of [true, false, undefined, null]) {
    // The default differs in a pid namespace: processes/spawn-process-group.test.ts.
    const play = typeof detached === 'boolean' ? twins : twinsWithSamePids
    play(String(detached), async ({ spawn }) => {
      const child = spawn('sleep', ['60'], { stdio: 'ignore', detached: detached as boolean })
      const seen = watch(child)
      const result = leads(child.pid as number)
      child.kill('SIGKILL')
      await seen
      return result
    })
  }
  twins('kills the group as one', async ({ spawn }) => {
    const child = spawn('sh', ['-c', 'sleep 60 & echo started; wait'], { detached: true })
    const seen = watch(child)
    await once(child.stdout as Readable, 'data')
    process.kill(-(child.pid as number), 'SIGKILL')
    // Both hold the pipe: it is closed once both have exited.
    return seen
  })
})

describe('signal', () => {
  const sleep = (spawn: Starter['spawn'], options: SpawnOptions) => spawn('sleep', ['60'], options)
  twins('aborted before', ({ spawn }) => watch(sleep(spawn, { signal: AbortSignal.abort() })))
  twins('aborted before the start, with a reason', ({ spawn }) =>
    watch(sleep(spawn, { signal: AbortSignal.abort('a reason') })),
  )
  twins('aborted immediately', async ({ spawn }) => {
    const controller = new AbortController()
    const seen = watch(sleep(spawn, { signal: controller.signal }))
    controller.abort()
    return seen
  })
  twins('aborted later, with a reason', async ({ spawn }) => {
    const controller = new AbortController()
    const child = sleep(spawn, { signal: controller.signal })
    const seen = watch(child)
    await once(child, 'spawn')
    controller.abort(new Error('enough'))
    return [child.killed, await seen]
  })
  twins('aborted with another killSignal', async ({ spawn }) => {
    const controller = new AbortController()
    const child = sleep(spawn, { signal: controller.signal, killSignal: 'SIGKILL' })
    const seen = watch(child)
    await once(child, 'spawn')
    controller.abort()
    return seen
  })
  twins('aborted after the exit', async ({ spawn }) => {
    const controller = new AbortController()
    const child = spawn('true', [], { signal: controller.signal })
    const seen = await watch(child)
    controller.abort()
    await pass(20)
    return [seen, child.killed]
  })
  twins('aborted in the exit handler', async ({ spawn }) => {
    const controller = new AbortController()
    const child = spawn('true', [], { signal: controller.signal })
    child.on('exit', () => controller.abort())
    return watch(child)
  })
  // Not compared: Node.js signals the pid of the failed attempt, which may still exist.
  test('aborted after a failed start', async () => {
    using set = anyonesSet(['uts'])
    const controller = new AbortController()
    const child = set.spawn('/nonexistent', [], { signal: controller.signal })
    const errors: unknown[] = []
    child.on('error', (error: NodeJS.ErrnoException) => errors.push(error.code))
    controller.abort()
    await new Promise((resolve) => child.once('close', resolve))
    await pass(10)
    expect([errors, child.killed]).toEqual([['ENOENT'], false])
  })
  twins('aborted after kill()', async ({ spawn }) => {
    const controller = new AbortController()
    const child = sleep(spawn, { signal: controller.signal })
    const seen = watch(child)
    child.kill('SIGKILL')
    controller.abort()
    const { events } = await seen
    return events.length
  })
  twins('that times out', ({ spawn }) => watch(sleep(spawn, { signal: AbortSignal.timeout(50) })))
  twins('shared by many children', async ({ spawn }) => {
    const controller = new AbortController()
    const all = Array.from({ length: 9 }, () => watch(sleep(spawn, { signal: controller.signal, stdio: 'ignore' })))
    await pass(20)
    controller.abort()
    return Promise.all(all)
  })
})

describe('timeout', () => {
  twins('ends by SIGTERM', run('sleep', ['60'], { timeout: 50 }))
  twins('ends by another signal', run('sleep', ['60'], { timeout: 50, killSignal: 'SIGUSR1' }))
  twins('ends by a numeric signal', run('sleep', ['60'], { timeout: 50, killSignal: 9 as never }))
  twins('of 0 is disabled', run('sleep', ['0.1'], { timeout: 0 }))
  twins('that is not reached', run('sh', ['-c', 'exit 3'], { timeout: 10_000 }))
  twins('has no effect after a failed start', run('/nonexistent', [], { timeout: 10_000 }))
  twins('is reported by `killed`', async ({ spawn }) => {
    const child = spawn('sleep', ['60'], { timeout: 50 })
    await watch(child)
    return [child.killed, child.signalCode, child.exitCode]
  })
  twins('kills the child, but not its descendants', async ({ spawn }) => {
    const child = spawn('sh', ['-c', 'sleep 30 & echo $!; wait'], {
      timeout: 300,
      killSignal: 'SIGKILL',
      detached: true,
    })
    const lines = createInterface(child.stdout as Readable)
    await once(lines, 'line')
    const [code, signal] = await once(child, 'exit')
    // The rest of its group held the pipe until now.
    process.kill(-(child.pid as number), 'SIGKILL')
    await once(child, 'close')
    return [code, signal]
  })
})

twins('an exited child is reaped', async ({ spawn }) => {
  const child = spawn('true', [], { stdio: 'ignore' })
  await watch(child)
  const isThere = () => readFileSync('/proc/self/stat') && readStat(child.pid as number)
  return (await eventually(isThere, (stat) => stat === undefined)) ?? 'gone'
})
