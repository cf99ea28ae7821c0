/** Options of `child_process.spawn` mean the same in a set. */
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

/** A program from its start to its end, with these options. */
const run =
  (file: string, args: string[], options: SpawnOptions): Scene =>
  ({ spawn }: Starter) =>
    watch(spawn(file, args, options))

describe('cwd', () => {
  twins('a path', run('pwd', [], { cwd: FOLDER }))
  twinsWithSameMounts('the caller’s unless told', run('pwd', ['-P'], {}))
  twinsWithSameMounts('a relative path is from the caller’s', run('pwd', ['-P'], { cwd: '__test__' }))
  twins('a URL', run('pwd', [], { cwd: pathToFileURL(FOLDER) }))
  for (const cwd of [null, undefined]) {
    twinsWithSameMounts(`${cwd} is not told`, run('pwd', ['-P'], { cwd: cwd as never }))
  }
  twins('is where a relative file is looked for', ({ spawn }) => {
    writeFileSync(`${FOLDER}/script`, '#!/bin/sh\necho "$0"\n')
    chmodSync(`${FOLDER}/script`, 0o755)
    return watch(spawn('./script', [], { cwd: FOLDER }))
  })
  twins('is where a relative PATH leads', ({ spawn }) =>
    watch(spawn('script', [], { cwd: FOLDER, env: { PATH: '.:/usr/bin:/bin' } })),
  )
})

describe('env', () => {
  const environments: Record<string, unknown> = {
    'is the caller’s unless told': undefined,
    'null is the caller’s': null,
    'may be empty': {},
    'leaves out what is undefined': { ONE: '1', TWO: undefined, THREE: '' },
    'has text of numbers and booleans': { NUMBER: 5, BOOLEAN: false, NEGATIVE: -0.5 },
    'has what is inherited': Object.create({ INHERITED: 'yes' }, { OWN: { value: 'yes', enumerable: true } }),
    'is without a prototype': Object.assign(Object.create(null), { ONE: '1' }),
    'keeps its order': { B: '1', A: '2', 9: 'nine', C: '3' },
    'has any text': { 'with space': 'é "$\'\n', LONG: 'x'.repeat(100_000) },
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
  twins('has its own PATH looked through, and not the caller’s', run('env', [], { env: { PATH: '/usr/bin:/bin' } }))
})

describe('argv0', () => {
  twins(
    'is what the program is told',
    run('sh', ['-c', 'tr "\\0" "|" < /proc/self/cmdline; echo "$0"'], { argv0: 'x' }),
  )
  twins('is the first word that it sees', run('cat', ['/proc/self/cmdline'], { argv0: 'another name' }))
  twins('may be empty', run('cat', ['/proc/self/cmdline'], { argv0: '' }))
})

describe('arguments', () => {
  twins('are as they are', run('printf', ['%s|', '', ' a b ', '$HOME', '"', "'", '*', '\n', 'é', '\\'], {}))
  twins('may be null', ({ spawn }) => watch(spawn('true', null)))
  twins('may be left out', ({ spawn }) =>
    watch((spawn as unknown as (...args: unknown[]) => never)('pwd', { cwd: '/' })),
  )
})

describe('shell', () => {
  twins('true', run('echo "$0"; exit 3', [], { shell: true }))
  twins('with arguments, joined by spaces', run('echo', ['a  b', '"c  d"', '$((1 + 2))', '; echo $#'], { shell: true }))
  twins('another one', run('echo "$0" $BASH_VERSION', [], { shell: '/bin/bash' }))
  twins('another one, looked for in PATH', run('echo "$0"', [], { shell: 'bash' }))
  twins('false', run('echo', ['$HOME'], { shell: false }))
  twins('empty text', run('echo', ['$HOME'], { shell: '' }))
  twins('with argv0', run('echo "$0"', [], { shell: true, argv0: 'name' }))
  twins(
    'of a command that is not there',
    run('nsset-nonexistent', [], { shell: true, stdio: ['ignore', 'pipe', 'ignore'] }),
  )
})

describe('uid and gid', () => {
  const ids = { cwd: '/', stdio: ['ignore', 'pipe', 'pipe'] } satisfies SpawnOptions
  const REASON = 'becoming somebody else takes CAP_SETUID and CAP_SETGID'
  // Root of a user namespace may do more there than root outside of it, where some of that was taken away.
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
  twins('one’s own', run('sh', ['-c', 'id -u; id -g'], { ...ids, uid: process.getuid?.(), gid: process.getgid?.() }))
  twins('null are not told', run('sh', ['-c', 'id -u; id -g'], { ...ids, uid: null as never, gid: null as never }))
  twinsAsRoot('a file that the new user may not execute', REASON, async ({ spawn }) => {
    writeFileSync(directory.file('private'), '#!/bin/sh\n')
    chmodSync(directory.file('private'), 0o700)
    return watch(spawn(directory.file('private'), [], { ...ids, uid: 1234, gid: 1234 }))
  })
  twinsAsRoot('a cwd that the new user may not enter: Node goes there first', REASON, async ({ spawn }) => {
    const cwd = directory.file('closed')
    mkdirSync(cwd, { recursive: true, mode: 0o700 })
    return watch(spawn('true', [], { ...ids, cwd, uid: 1234, gid: 1234 }))
  })
})

describe('detached', () => {
  /** Whether it leads a session, and a group, of its own. */
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
    // What is left out means another thing in a pid namespace: processes/spawn-process-group.test.ts.
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
  twins('its group is killed as one', async ({ spawn }) => {
    const child = spawn('sh', ['-c', 'sleep 60 & echo started; wait'], { detached: true })
    const seen = watch(child)
    await once(child.stdout as Readable, 'data')
    process.kill(-(child.pid as number), 'SIGKILL')
    // The pipe, which both have, is closed: both are gone.
    return seen
  })
})

describe('signal', () => {
  const sleep = (spawn: Starter['spawn'], options: SpawnOptions) => spawn('sleep', ['60'], options)
  twins('aborted before', ({ spawn }) => watch(sleep(spawn, { signal: AbortSignal.abort() })))
  twins('aborted before, with a reason', ({ spawn }) => watch(sleep(spawn, { signal: AbortSignal.abort('a reason') })))
  twins('aborted at once', async ({ spawn }) => {
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
  twins('aborted with another signal to send', async ({ spawn }) => {
    const controller = new AbortController()
    const child = sleep(spawn, { signal: controller.signal, killSignal: 'SIGKILL' })
    const seen = watch(child)
    await once(child, 'spawn')
    controller.abort()
    return seen
  })
  twins('aborted after the end', async ({ spawn }) => {
    const controller = new AbortController()
    const child = spawn('true', [], { signal: controller.signal })
    const seen = await watch(child)
    controller.abort()
    await pass(20)
    return [seen, child.killed]
  })
  twins('aborted at the event exit', async ({ spawn }) => {
    const controller = new AbortController()
    const child = spawn('true', [], { signal: controller.signal })
    child.on('exit', () => controller.abort())
    return watch(child)
  })
  // No twins: Node signals the pid that the attempt had, which has been seen to be there still.
  test('aborted when nothing was started', async () => {
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
  twins('aborted when it was killed already', async ({ spawn }) => {
    const controller = new AbortController()
    const child = sleep(spawn, { signal: controller.signal })
    const seen = watch(child)
    child.kill('SIGKILL')
    controller.abort()
    const { events } = await seen
    return events.length
  })
  twins('that times out', ({ spawn }) => watch(sleep(spawn, { signal: AbortSignal.timeout(50) })))
  twins('for many children', async ({ spawn }) => {
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
  twins('ends by a number', run('sleep', ['60'], { timeout: 50, killSignal: 9 as never }))
  twins('of 0 is none', run('sleep', ['0.1'], { timeout: 0 }))
  twins('that is not reached', run('sh', ['-c', 'exit 3'], { timeout: 10_000 }))
  twins('where nothing was started', run('/nonexistent', [], { timeout: 10_000 }))
  twins('is told of by killed', async ({ spawn }) => {
    const child = spawn('sleep', ['60'], { timeout: 50 })
    await watch(child)
    return [child.killed, child.signalCode, child.exitCode]
  })
  twins('ends the child, and not what it has started', async ({ spawn }) => {
    const child = spawn('sh', ['-c', 'sleep 30 & echo $!; wait'], {
      timeout: 300,
      killSignal: 'SIGKILL',
      detached: true,
    })
    const lines = createInterface(child.stdout as Readable)
    await once(lines, 'line')
    const [code, signal] = await once(child, 'exit')
    // Its group is left, and held the pipe until now.
    process.kill(-(child.pid as number), 'SIGKILL')
    await once(child, 'close')
    return [code, signal]
  })
})

twins('what has ended is reaped', async ({ spawn }) => {
  const child = spawn('true', [], { stdio: 'ignore' })
  await watch(child)
  const isThere = () => readFileSync('/proc/self/stat') && readStat(child.pid as number)
  return (await eventually(isThere, (stat) => stat === undefined)) ?? 'gone'
})
