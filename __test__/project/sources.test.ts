/** The sources of sets: the calling thread, processes, threads, directories, files and descriptors. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, readlinkSync, symlinkSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { type NamespaceKind, NamespaceSet, NS } from 'nsset'
import { describe, expect, test, vi } from 'vitest'
import { ALL_KINDS } from '../setup/guards/thread-place.ts'
import { unshareProgram } from '../setup/oracles/unshare-program.ts'
import { asOrdinaryUser, asRoot } from '../setup/sets/privilege.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'

/** The namespaces of a process from /proc, in the form of `set.id()`. */
function linkOf(pid: number | 'self', kind: NamespaceKind): string {
  return readlinkSync(`/proc/${pid}/ns/${kind}`)
}

/** A Python program that prints a pid, once that process is a zombie; the program ends with the block. */
async function ended(code: string): Promise<AsyncDisposable & { pid: number }> {
  const program = spawn('python3', ['-c', `${code}\nimport sys, time; sys.stdout.flush(); time.sleep(30)`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const pid = Number(String((await once(program.stdout, 'data'))[0]))
  await vi.waitUntil(() => readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z '))
  const exit = once(program, 'exit')
  const end = async () => {
    program.kill('SIGKILL')
    await exit
  }
  return { pid, [Symbol.asyncDispose]: end }
}

describe('current', () => {
  test('holds all eight kinds of the calling thread, as in /proc', () => {
    using here = NamespaceSet.current()
    expect(here.kinds).toEqual(ALL_KINDS)
    expect(ALL_KINDS.map((kind) => here.id(kind))).toEqual(ALL_KINDS.map((kind) => linkOf('self', kind)))
  })

  test('holds only the requested kinds: one, several, or a mask', () => {
    using one = NamespaceSet.current('net')
    using several = NamespaceSet.current(['uts', 'net'])
    using mask = NamespaceSet.current(NS.UTS | NS.NET)
    expect(one.kinds).toEqual(['net'])
    expect(several.kinds).toEqual(['net', 'uts'])
    expect(mask.equals(several)).toBe(true)
  })

  asRoot(
    'returns those of the thread that do() has moved, inside it',
    'only root can enter on a thread of Node.js',
    () => {
      using set = NamespaceSet.unshareSync('uts')
      const inside = set.do(() => {
        using here = NamespaceSet.current('uts')
        return here.id()
      })
      expect(inside).toBe(set.id())
      expect(linkOf('self', 'uts')).not.toBe(inside)
    },
  )
})

describe('fromPid', () => {
  test('opens the namespaces that unshare(1) created, as /proc and lsns(8) show them', async () => {
    await using child = await unshareProgram(
      '--user',
      '--map-root-user',
      '--net',
      '--uts',
      '--ipc',
      '--mount',
      '--cgroup',
    )
    using theirs = NamespaceSet.fromPid(child.pid)
    expect(theirs.kinds).toEqual(ALL_KINDS)
    for (const kind of ALL_KINDS) expect(theirs.id(kind), kind).toBe(linkOf(child.pid, kind))

    const inodes = execFileSync('lsns', ['--noheadings', '--output', 'NS,TYPE', '--task', String(child.pid)], {
      encoding: 'utf8',
      timeout: 10_000,
    })
    const seen = Object.fromEntries(
      inodes
        .trim()
        .split('\n')
        .map((line) => line.trim().split(/\s+/).reverse()),
    )
    for (const kind of ALL_KINDS) expect(seen[kind], kind).toBe(String(theirs.stat(kind).ino))

    using ours = NamespaceSet.current()
    const different = ALL_KINDS.filter((kind) => !theirs.equals(ours, kind))
    expect(different).toEqual(['cgroup', 'ipc', 'mnt', 'net', 'user', 'uts'])
  })

  test('opens only the requested kinds', async () => {
    await using child = await unshareProgram('--user', '--uts')
    using theirs = NamespaceSet.fromPid(child.pid, ['uts', 'user'])
    expect(String(theirs)).toBe(`NamespaceSet(${linkOf(child.pid, 'user')} ${linkOf(child.pid, 'uts')})`)
  })

  test('keeps the namespaces after the process has ended: nsenter(1) still finds them', async () => {
    const child = await unshareProgram('--user', '--map-root-user', '--uts')
    execFileSync(
      'nsenter',
      [...nsenterUser(`/proc/${child.pid}/ns/user`), `--uts=/proc/${child.pid}/ns/uts`, 'hostname', 'kept'],
      {
        timeout: 10_000,
      },
    )
    using theirs = NamespaceSet.fromPid(child.pid, ['user', 'uts'])
    await child[Symbol.asyncDispose]()
    const hostname = execFileSync(
      'nsenter',
      [...nsenterUser(theirs.path('user')), `--uts=${theirs.path('uts')}`, 'hostname'],
      { encoding: 'utf8', timeout: 10_000 },
    )
    expect(hostname).toBe('kept\n')
  })

  test('is ESRCH for a zombie, instead of the kinds that /proc still shows', async () => {
    await using child = await ended('import os; p = os.fork(); p or os._exit(0); print(p)')
    const gone = expect.objectContaining({ code: 'ESRCH' })
    expect(() => NamespaceSet.fromPid(child.pid)).toThrow(gone)
    expect(() => NamespaceSet.fromPid(child.pid, 'net')).toThrow(gone)
    expect(() => NamespaceSet.fromThread(child.pid, child.pid)).toThrow(gone)
    expect(() => NamespaceSet.fromDirectory(`/proc/${child.pid}/ns`)).toThrow(gone)
  })

  test('opens a process whose main thread has ended through another thread', async () => {
    const code =
      'import ctypes, os, threading, time; threading.Thread(target=time.sleep, args=(30,)).start(); ' +
      'print(os.getpid()); sys.stdout.flush(); ctypes.CDLL(None).pthread_exit(None)'
    await using child = await ended(`import sys; ${code}`)
    expect(() => NamespaceSet.fromPid(child.pid)).toThrow(
      expect.objectContaining({ code: 'ESRCH', message: expect.stringContaining('fromThread') }),
    )
    const other = readdirSync(`/proc/${child.pid}/task`)
      .map(Number)
      .find((tid) => tid !== child.pid)
    using theirs = NamespaceSet.fromThread(child.pid, other ?? 0)
    expect(theirs.kinds).toEqual(ALL_KINDS)
  })

  asOrdinaryUser('explains why an ordinary user cannot open another user’s process', () => {
    expect(() => NamespaceSet.fromPid(1, 'net')).toThrow(
      expect.objectContaining({
        name: 'NamespaceError',
        code: 'EACCES',
        kind: 'net',
        pid: 1,
        message: expect.stringContaining('ptrace(2)'),
      }),
    )
  })
})

describe('fromThread', () => {
  test('opens the namespaces of each thread of a process', () => {
    const tids = readdirSync('/proc/self/task').map(Number)
    expect(tids.length).toBeGreaterThan(1)
    for (const tid of tids) {
      using theirs = NamespaceSet.fromThread(process.pid, tid)
      for (const kind of ALL_KINDS) expect(theirs.id(kind)).toBe(readlinkSync(`/proc/self/task/${tid}/ns/${kind}`))
    }
  })

  asRoot(
    'distinguishes a thread that has entered from its process',
    'only root can enter on a thread of Node.js',
    async () => {
      using set = NamespaceSet.unshareSync('uts')
      const worker = new Worker(
        `import { readlinkSync } from 'node:fs'
       import { parentPort } from 'node:worker_threads'
       import { NamespaceSet } from 'nsset'
       NamespaceSet.fromPath('${set.path()}').enter()
       parentPort.postMessage(Number(readlinkSync('/proc/thread-self').split('/').pop()))
       setInterval(() => {}, 1000)`,
        { eval: true, execArgv: ['--input-type=module'] },
      )
      try {
        const tid = await new Promise<number>((resolve, reject) =>
          worker.once('message', resolve).once('error', reject),
        )
        using theirs = NamespaceSet.fromThread(process.pid, tid, 'uts')
        using main = NamespaceSet.fromPid(process.pid, 'uts')
        expect(theirs.equals(set)).toBe(true)
        expect(main.equals(set)).toBe(false)
      } finally {
        await worker.terminate()
      }
    },
  )

  test('does not find a thread of another process', () => {
    expect(() => NamespaceSet.fromThread(process.pid, process.ppid)).toThrow(
      expect.objectContaining({ code: 'ESRCH', pid: process.ppid }),
    )
  })
})

describe('fromDirectory', () => {
  test('opens the kinds by their file names, also from /proc/PID/ns', () => {
    using set = NamespaceSet.fromDirectory('/proc/self/ns')
    using here = NamespaceSet.current()
    expect(set.equals(here)).toBe(true)
  })

  test('requires each requested kind, and only those', () => {
    using directory = temporaryDirectory()
    symlinkSync('/proc/self/ns/uts', directory.file('uts'))
    using set = NamespaceSet.fromDirectory(directory.path, 'uts')
    expect(set.id()).toBe(linkOf('self', 'uts'))
    expect(() => NamespaceSet.fromDirectory(directory.path, ['net', 'uts'])).toThrow(
      expect.objectContaining({ code: 'ENOENT', path: directory.file('net') }),
    )
  })

  test('rejects a file whose name is not its kind', () => {
    using directory = temporaryDirectory()
    symlinkSync('/proc/self/ns/uts', directory.file('net'))
    expect(() => NamespaceSet.fromDirectory(directory.path)).toThrow(
      expect.objectContaining({
        code: 'EINVAL',
        path: directory.file('net'),
        message: expect.stringContaining('a uts namespace'),
      }),
    )
  })

  test('rejects a directory without namespaces', () => {
    using directory = temporaryDirectory()
    expect(() => NamespaceSet.fromDirectory(directory.path)).toThrow(
      expect.objectContaining({
        code: 'ENOENT',
        path: directory.path,
        message: expect.stringContaining('kind of namespace'),
      }),
    )
  })
})

describe('fromPath', () => {
  test('detects the kind, whatever the name of the file', () => {
    using directory = temporaryDirectory()
    for (const kind of ALL_KINDS) {
      const link = directory.file(`some-${kind}`)
      symlinkSync(`/proc/self/ns/${kind}`, link)
      using set = NamespaceSet.fromPath(link)
      expect(set.kinds).toEqual([kind])
      expect(set.id()).toBe(linkOf('self', kind))
    }
  })

  test('accepts a path as fs does: a string, bytes, or a URL', () => {
    const path = '/proc/self/ns/net'
    for (const given of [path, Buffer.from(path), pathToFileURL(path)]) {
      using set = NamespaceSet.fromPath(given, 'net')
      expect(set.id()).toBe(linkOf('self', 'net'))
    }
  })

  test('finds names that are not UTF-8', () => {
    using directory = temporaryDirectory()
    const path = Buffer.concat([Buffer.from(`${directory.path}/`), Buffer.from([0xff, 0xfe])])
    symlinkSync('/proc/self/ns/net', path)
    using set = NamespaceSet.fromPath(path)
    expect(set.kinds).toEqual(['net'])
  })

  test('rejects another kind than the expected one, and names both', () => {
    expect(() => NamespaceSet.fromPath('/proc/self/ns/uts', 'net')).toThrow(
      expect.objectContaining({
        code: 'EINVAL',
        kind: 'uts',
        path: '/proc/self/ns/uts',
        message: expect.stringContaining('it is a uts namespace'),
      }),
    )
  })

  test('does not block at a FIFO without a writer', () => {
    using directory = temporaryDirectory()
    const fifo = directory.file('fifo')
    execFileSync('mkfifo', [fifo], { timeout: 10_000 })
    expect(() => NamespaceSet.fromPath(fifo)).toThrow(
      expect.objectContaining({ code: 'EINVAL', path: fifo, message: expect.stringContaining('not a namespace') }),
    )
  })

  asRoot('opens the namespace that `ip netns add` created', 'ip netns mounts', async () => {
    const name = `nsset-test-${process.pid}`
    execFileSync('ip', ['netns', 'add', name], { timeout: 10_000 })
    try {
      using set = NamespaceSet.fromPath(`/run/netns/${name}`, 'net')
      using home = NamespaceSet.current('net')
      expect(set.equals(home)).toBe(false)
      const child = set.spawn('sleep', ['60'], { stdio: 'ignore' })
      try {
        expect(
          execFileSync('ip', ['netns', 'identify', String(child.pid)], { encoding: 'utf8', timeout: 10_000 }),
        ).toBe(`${name}\n`)
        expect(execFileSync('ip', ['netns', 'pids', name], { encoding: 'utf8', timeout: 10_000 })).toBe(
          `${child.pid}\n`,
        )
      } finally {
        child.kill('SIGKILL')
        await once(child, 'exit')
      }
    } finally {
      execFileSync('ip', ['netns', 'delete', name], { timeout: 10_000 })
    }
  })
})

describe('fromFd', () => {
  test('opens a descriptor again, which the caller keeps', () => {
    const fd = openSync('/proc/self/ns/uts', 'r')
    const set = NamespaceSet.fromFd(fd, 'uts')
    expect(set.id()).toBe(linkOf('self', 'uts'))
    set.close()
    using again = NamespaceSet.fromFd(fd)
    expect(again.kinds).toEqual(['uts'])
    closeSync(fd)
    expect(again.id()).toBe(linkOf('self', 'uts'))
  })

  test('accepts the descriptors of another set', () => {
    using set = NamespaceSet.current(['net', 'uts'])
    using fds = set.fds()
    using net = NamespaceSet.fromFd(fds.get('net'))
    expect(net.equals(set, 'net')).toBe(true)
  })

  test('rejects a directory, or a descriptor of another kind', () => {
    using directory = temporaryDirectory()
    mkdirSync(directory.file('d'))
    const fd = openSync(directory.file('d'), 'r')
    try {
      expect(() => NamespaceSet.fromFd(fd)).toThrow(
        expect.objectContaining({ code: 'EINVAL', message: expect.stringContaining('not a namespace') }),
      )
    } finally {
      closeSync(fd)
    }
    using uts = NamespaceSet.current('uts')
    using fds = uts.fds()
    expect(() => NamespaceSet.fromFd(fds.get('uts'), 'net')).toThrow(
      expect.objectContaining({ code: 'EINVAL', kind: 'uts' }),
    )
  })
})

/** Joins a user namespace with the caller's own ids, as an ordinary user can. */
function nsenterUser(path: string): string[] {
  return [`--user=${path}`, '--preserve-credentials']
}
