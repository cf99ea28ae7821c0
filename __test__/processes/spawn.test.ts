/** `set.spawn()`: a program inside, with the properties and events of a child of `node:child_process`. */
import { spawn as spawnOutside } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, closeSync, mkdirSync, openSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import type { Duplex } from 'node:stream'
import { text } from 'node:stream/consumers'
import { NamespaceError, type NamespaceSet, type SpawnOptions } from 'nsset'
import { describe, expect, test } from 'vitest'
import { growthSince } from '../setup/guards/growth.ts'
import { readStat } from '../setup/guards/proc-stat.ts'
import { resources } from '../setup/guards/resources.ts'
import { anyonesSet } from '../setup/sets/anyones-set.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'

/** The whole output of a program. */
async function outputOf(set: NamespaceSet, file: string, args: string[], options: SpawnOptions = {}): Promise<string> {
  const child = set.spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'], ...options })
  const [output] = await Promise.all([text(child.stdout as NodeJS.ReadableStream), once(child, 'close')])
  return output
}

describe('cwd and env', () => {
  test('default to the caller’s', async () => {
    using set = anyonesSet(['uts'])
    expect(await outputOf(set, 'pwd', ['-P'])).toBe(`${realpathSync('.')}\n`)
    const environment = (await outputOf(set, 'env', ['-0'])).split('\0').filter((line) => line !== '')
    expect(environment.sort()).toEqual(
      Object.entries(process.env)
        .map(([name, value]) => `${name}=${value}`)
        .sort(),
    )
  })

  test('can be set', async () => {
    using directory = temporaryDirectory()
    using set = anyonesSet(['uts'])
    expect(await outputOf(set, 'pwd', [], { cwd: directory.path })).toBe(`${directory.path}\n`)
    expect(await outputOf(set, 'pwd', [], { cwd: Buffer.from(directory.path) })).toBe(`${directory.path}\n`)
    const env = { ONE: '1', NONE: undefined, EMPTY: '', TEXT: 'é = "' }
    expect(await outputOf(set, '/usr/bin/env', ['-0'], { env })).toBe('ONE=1\0EMPTY=\0TEXT=é = "\0')
  })

  test('the program’s own PATH is searched', async () => {
    using directory = temporaryDirectory()
    writeFileSync(directory.file('mine'), '#!/bin/sh\necho found\n')
    chmodSync(directory.file('mine'), 0o755)
    using set = anyonesSet(['uts'])
    expect(await outputOf(set, 'mine', [], { env: { PATH: `/nonexistent:${directory.path}` } })).toBe('found\n')
  })

  test('paths are resolved inside', async () => {
    using directory = temporaryDirectory()
    const target = directory.file('target')
    mkdirSync(target)
    using set = anyonesSet(['mnt'], { mounts: [{ type: 'tmpfs', target }] })
    await set.execFile('mkdir', [`${target}/inside`])
    expect(await outputOf(set, 'pwd', [], { cwd: `${target}/inside` })).toBe(`${target}/inside\n`)
    await expect(set.execFile('pwd', [], { cwd: `${target}/outside` })).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

describe('stdio', () => {
  test('defaults to pipes', async () => {
    using set = anyonesSet(['uts'])
    const child = set.spawn('sh', ['-c', 'read line; echo "out $line"; echo "err $line" >&2'])
    expect(child.stdio).toEqual([child.stdin, child.stdout, child.stderr])
    child.stdin?.end('hello\n')
    const streams = [child.stdout, child.stderr] as NodeJS.ReadableStream[]
    expect(await Promise.all([...streams.map((stream) => text(stream)), once(child, 'close')])).toEqual([
      'out hello\n',
      'err hello\n',
      [0, null],
    ])
  })

  test('can be ignored', async () => {
    using set = anyonesSet(['uts'])
    const links = ['/proc/self/fd/0', '/proc/self/fd/2']
    const output = await outputOf(set, 'readlink', links, { stdio: ['ignore', 'pipe', 'ignore'] })
    expect(output).toBe('/dev/null\n/dev/null\n')
    const child = set.spawn('true', [], { stdio: 'ignore' })
    expect([child.stdin, child.stdout, child.stderr, child.stdio]).toEqual([null, null, null, [null, null, null]])
    await once(child, 'close')
  })

  test('can be the caller’s descriptors, which stay open', async () => {
    using directory = temporaryDirectory()
    const file = directory.file('output')
    const fd = openSync(file, 'w')
    using set = anyonesSet(['uts'])
    const child = set.spawn('sh', ['-c', 'echo out; echo err >&2; echo five >&5'], {
      stdio: ['ignore', fd, fd, 'ignore', 'ignore', fd],
    })
    await once(child, 'close')
    writeFileSync(fd, 'mine\n')
    closeSync(fd)
    expect(readFileSync(file, 'utf8')).toBe('out\nerr\nfive\nmine\n')
  })

  test('can go beyond 2, in both directions', async () => {
    using set = anyonesSet(['uts'])
    const child = set.spawn('sh', ['-c', 'read line <&3; echo "$line and back" >&3'], {
      stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
    })
    const pipe = child.stdio[3] as Duplex
    pipe.write('there\n')
    expect(await text(pipe)).toBe('there and back\n')
  })

  test('throws for a descriptor that is not open', () => {
    using set = anyonesSet(['uts'])
    expect(() => set.spawn('true', [], { stdio: ['pipe', 9_999, 'ignore'] })).toThrow(
      expect.objectContaining({ code: 'EBADF', message: expect.stringContaining('9999') }),
    )
  })
})

describe('a child ends', () => {
  test('with a code', async () => {
    using set = anyonesSet(['uts'])
    const child = set.spawn('sh', ['-c', 'exit 42'])
    expect([child.exitCode, child.signalCode]).toEqual([null, null])
    expect(await once(child, 'exit')).toEqual([42, null])
    expect([child.exitCode, child.signalCode, child.killed]).toEqual([42, null, false])
  })

  test('by a signal, its own or a sent one', async () => {
    using set = anyonesSet(['uts', 'pid'])
    expect(await once(set.spawn('sh', ['-c', 'kill -KILL $$']), 'exit')).toEqual([null, 'SIGKILL'])
    for (const signal of ['SIGTERM', 'SIGUSR1', 9] as const) {
      const child = set.spawn('sleep', ['60'])
      expect(child.kill(signal)).toBe(true)
      expect(await once(child, 'exit')).toEqual([null, signal === 9 ? 'SIGKILL' : signal])
      expect([child.killed, child.kill()]).toEqual([true, false])
    }
  })

  test('with its block', async () => {
    using set = anyonesSet(['uts'])
    let ended: Promise<unknown[]>
    {
      using child = set.spawn('sleep', ['60'])
      ended = once(child, 'exit')
    }
    expect(await ended).toEqual([null, 'SIGTERM'])
  })

  test('with the events spawn, exit, close in order', async () => {
    using set = anyonesSet(['uts'])
    const events: string[] = []
    const child = set.spawn('sh', ['-c', 'echo text'])
    for (const event of ['spawn', 'exit', 'close', 'error']) child.on(event, () => events.push(event))
    child.stdout?.on('end', () => events.push('end of stdout'))
    child.stdout?.resume()
    expect(events).toEqual([])
    expect(child.pid).toBeGreaterThan(0)
    await once(child, 'close')
    expect(events.filter((event) => event !== 'end of stdout')).toEqual(['spawn', 'exit', 'close'])
    expect(events.indexOf('end of stdout')).toBeLessThan(events.indexOf('close'))
  })

  test('with close even if its output is not read', async () => {
    using set = anyonesSet(['uts'])
    expect(await once(set.spawn('echo', ['unread']), 'close')).toEqual([0, null])
  })
})

describe('spawn fails for', () => {
  const FAILURES: [string, string, SpawnOptions, object][] = [
    ['a missing program', '/nonexistent', {}, { code: 'ENOENT', errno: -2, syscall: 'spawn /nonexistent' }],
    [
      'a name that is not in PATH',
      'nonexistent',
      { env: { PATH: '/usr/bin:/bin' } },
      { code: 'ENOENT', syscall: 'spawn nonexistent' },
    ],
    ['a file that is not executable', '/etc/passwd', {}, { code: 'EACCES', errno: -13, syscall: 'spawn /etc/passwd' }],
    [
      'a missing directory',
      'true',
      { cwd: '/nonexistent' },
      { code: 'ENOENT', syscall: 'chdir', path: '/nonexistent' },
    ],
  ]
  for (const [name, file, options, expected] of FAILURES) {
    test(name, async () => {
      using set = anyonesSet(['uts', 'pid'])
      const before = resources()
      const child = set.spawn(file, ['argument'], options)
      const events: string[] = []
      for (const event of ['spawn', 'exit', 'close']) child.on(event, () => events.push(event))
      const [error] = await once(child, 'error')
      expect(error).toBeInstanceOf(NamespaceError)
      expect(error).toMatchObject({ ...expected, spawnargs: ['argument'] })
      expect([child.pid, child.kill()]).toEqual([undefined, false])
      if (!events.includes('close')) await once(child, 'close')
      expect(events).toEqual(['close'])
      expect(await growthSince(before)).toEqual({})
    })
  }

  test('a closed set, and invalid arguments, which throw', () => {
    using set = anyonesSet(['uts'])
    const spawn = set.spawn.bind(set) as (...args: unknown[]) => unknown
    for (const args of [
      [''],
      ['a\0b'],
      ['true', [], { cwd: '\0' }],
      ['true', [], { env: { 'A=B': '1' } }],
      ['true', [], { stdio: ['ipc'] }],
    ]) {
      expect(() => spawn(...args)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }))
    }
    for (const args of [
      [],
      [1],
      ['true', [1]],
      ['true', [], 1],
      ['true', [], { cwd: 1 }],
      ['true', [], { stdio: 1 }],
    ]) {
      expect(() => spawn(...args)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }))
    }
    set.close()
    expect(() => set.spawn('true')).toThrow(expect.objectContaining({ code: 'ERR_NSSET_CLOSED' }))
  })
})

describe('a child has the same state as one of child_process.spawn:', () => {
  /** The same program started by both. */
  async function both(set: NamespaceSet, script: string): Promise<[inside: string, outside: string]> {
    const child = spawnOutside('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'inherit'], timeout: 10_000 })
    const [outside] = await Promise.all([text(child.stdout), once(child, 'close')])
    return [await outputOf(set, 'sh', ['-c', script]), outside]
  }

  const SAME: Record<string, string> = {
    'blocked, ignored and caught signals': "grep -E '^Sig(Blk|Ign|Cgt)' /proc/self/status",
    'umask, no_new_privs, seccomp': "grep -E '^(Umask|NoNewPrivs|Seccomp):' /proc/self/status",
    'inheritable capabilities': "grep -E '^Cap(Inh|Amb)' /proc/self/status",
    limits: 'cat /proc/self/limits',
    session: "cut -d' ' -f6 /proc/self/stat",
    'niceness and out-of-memory score': 'nice; cat /proc/self/oom_score_adj',
    'arguments and name': 'cat /proc/self/cmdline; cat /proc/self/comm',
  }
  for (const [name, script] of Object.entries(SAME)) {
    test(name, async () => {
      using set = anyonesSet(['uts', 'net'])
      const [inside, outside] = await both(set, script)
      expect(inside).toBe(outside)
      expect(outside).not.toBe('')
    })
  }

  test('its process group is the caller’s', async () => {
    using set = anyonesSet(['uts'])
    const child = set.spawn('sleep', ['60'], { stdio: 'ignore' })
    const groupOf = (pid: number) => readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ')[2]
    expect(groupOf(child.pid as number)).toBe(groupOf(process.pid))
    expect(readStat(child.pid as number)?.parent).toBe(process.pid)
    child.kill()
    await once(child, 'exit')
  })

  test('descriptors, except those that the caller opened without close-on-exec', async () => {
    using set = anyonesSet(['uts', 'net'])
    // 3 is the directory that ls reads.
    expect(await outputOf(set, 'ls', ['/proc/self/fd'])).toBe('0\n1\n2\n3\n')
  })

  test('no namespace leaks in', async () => {
    using set = anyonesSet(['uts', 'net', 'pid', 'mnt'])
    using fds = set.fds()
    expect([...fds].length).toBeGreaterThan(3)
    const listing = await outputOf(set, 'ls', ['-l', '/proc/self/fd'])
    expect(listing).not.toMatch(/net:|mnt:|pid:|uts:|user:|memfd|anon_inode/)
  })
})
