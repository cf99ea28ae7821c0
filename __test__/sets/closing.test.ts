/** The lifetime of a set: close, `using`, dup, descriptors of the caller, and unclosed sets. */
import { execFileSync, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { FdSet, type NamespaceKind, NamespaceSet } from 'nsset'
import { describe, expect, test } from 'vitest'
import { resources } from '../setup/guards/resources.ts'
import { nsenter } from '../setup/oracles/nsenter.ts'
import { askPlainNode } from '../setup/programs/plain-node.ts'

const closed = expect.objectContaining({ name: 'TypeError', code: 'ERR_NSSET_CLOSED' })

/** The namespace descriptors of this process, with the flags of proc_pid_fdinfo(5). */
function namespaceDescriptors(): { fd: number; flags: number }[] {
  return readdirSync('/proc/self/fd').flatMap((name) => {
    try {
      if (!/^(cgroup|ipc|mnt|net|pid|time|user|uts):\[\d+\]$/.test(readlinkSync(`/proc/self/fd/${name}`))) return []
      const flags = /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${name}`, 'latin1'))?.[1] ?? '0'
      return [{ fd: Number(name), flags: Number.parseInt(flags, 8) }]
    } catch {
      return [] // The descriptor that reads the directory itself.
    }
  })
}

const O_CLOEXEC = 0o2000000

/** Opened each time, unlike those shared by current(). */
const NAMESPACES = '/proc/self/ns'

describe('close()', () => {
  test('closes the descriptors, and may be called again', () => {
    const before = resources().descriptors
    const set = NamespaceSet.fromDirectory(NAMESPACES)
    expect(set.closed).toBe(false)
    expect(resources().descriptors).toBe(before + 8)
    set.close()
    expect(set.closed).toBe(true)
    expect(resources().descriptors).toBe(before)
    set.close()
    expect(set.closed).toBe(true)
  })

  test('closes nothing the second time, even when the number was reused', () => {
    const first = NamespaceSet.fromPath(`${NAMESPACES}/uts`)
    const path = first.path()
    first.close()
    using second = NamespaceSet.fromPath(`${NAMESPACES}/net`)
    expect(second.path()).toBe(path)
    first.close()
    expect(second.id()).toBe(readlinkSync(path))
  })

  test('keeps the properties of the set', () => {
    const set = NamespaceSet.current(['net', 'uts'])
    const { flags } = set
    set.close()
    expect(set.kinds).toEqual(['net', 'uts'])
    expect(set.flags).toBe(flags)
  })

  test('is called by `using` at the end of the block, however it is left', () => {
    let kept: NamespaceSet | undefined
    expect(() => {
      using set = NamespaceSet.current('net')
      kept = set
      throw new Error('out')
    }).toThrow('out')
    expect(kept?.closed).toBe(true)
  })

  test('is called by `await using` as well', async () => {
    let kept: NamespaceSet | undefined
    {
      await using set = await NamespaceSet.unshare(['user', 'uts'], { mapUser: 'root' })
      kept = set
      expect(kept.closed).toBe(false)
    }
    expect(kept.closed).toBe(true)
  })
})

describe('dup()', () => {
  test('stays open when the first is closed', () => {
    const first = NamespaceSet.unshareSync(['user', 'uts'], { mapUser: 'root', hostname: 'second-life' })
    using second = first.dup()
    first.close()
    expect(nsenter(second, 'hostname')).toBe('second-life')
    expect(() => first.dup()).toThrow(closed)
  })

  test('leaves the first open when it is closed', () => {
    using first = NamespaceSet.unshareSync(['user', 'uts'], { mapUser: 'root', hostname: 'first-life' })
    first.dup().close()
    expect(nsenter(first, 'hostname')).toBe('first-life')
  })

  test('holds the requested kinds, and only their namespaces stay open', () => {
    const before = resources().descriptors
    const all = NamespaceSet.fromDirectory(NAMESPACES)
    using net = all.dup('net')
    expect(net.kinds).toEqual(['net'])
    expect(net.equals(all, 'net')).toBe(true)
    all.close()
    expect(resources().descriptors).toBe(before + 1)
    expect(net.id()).toBe(readlinkSync('/proc/self/ns/net'))
  })

  test('needs no descriptor; a thousand cycles leave none open', () => {
    using set = NamespaceSet.current()
    const before = resources().descriptors
    const dups = Array.from({ length: 100 }, () => set.dup())
    expect(resources().descriptors).toBe(before)
    for (const dup of dups) dup.close()
    for (let cycle = 0; cycle < 1_000; cycle += 1) {
      using dup = set.dup(['net', 'uts'])
      using fds = dup.fds()
      fds.get('net')
    }
    expect(resources().descriptors).toBe(before)
  })
})

describe('fds()', () => {
  test('returns one descriptor for each kind, in order, of the namespaces', () => {
    using set = NamespaceSet.current(['uts', 'net', 'user'])
    using fds = set.fds()
    expect(fds).toBeInstanceOf(FdSet)
    const list: [NamespaceKind, number][] = [...fds]
    expect(list.map(([kind]) => kind)).toEqual(['net', 'user', 'uts'])
    for (const [kind, fd] of list) {
      expect(fds.get(kind)).toBe(fd)
      expect(readlinkSync(`/proc/self/fd/${fd}`)).toBe(set.id(kind))
      expect(set.path(kind)).not.toBe(`/proc/${process.pid}/fd/${fd}`)
    }
  })

  test('returns those of some kinds', () => {
    using set = NamespaceSet.current()
    using fds = set.fds('net')
    expect([...fds].map(([kind]) => kind)).toEqual(['net'])
    expect(() => fds.get('uts')).toThrow(
      expect.objectContaining({ code: 'ERR_NSSET_NOT_IN_SET', message: expect.stringContaining('uts') }),
    )
  })

  test('and every other descriptor of a namespace is close-on-exec', () => {
    using made = NamespaceSet.unshareSync(['user', 'net', 'pid', 'time'], { mapUser: 'root' })
    using here = NamespaceSet.current()
    using file = NamespaceSet.fromPath('/proc/self/ns/net')
    using pid = NamespaceSet.fromPid(process.pid)
    using owner = made.owner('net')
    using parent = made.parent('user')
    using fds = here.fds()
    const open = namespaceDescriptors()
    const numbers = [...fds].map(([, fd]) => fd)
    for (const set of [made, here, file, pid, owner, parent]) {
      for (const kind of set.kinds) numbers.push(Number(set.path(kind).split('/').pop()))
    }
    expect(open.map(({ fd }) => fd)).toEqual(expect.arrayContaining(numbers))
    for (const { fd, flags } of open) expect(flags & O_CLOEXEC, `descriptor ${fd}`).toBe(O_CLOEXEC)
  })

  test('so that a child of Node.js inherits none, unless in stdio', () => {
    using set = NamespaceSet.current('uts')
    using fds = set.fds()
    const without = execFileSync('ls', ['-l', '/proc/self/fd'], { encoding: 'utf8', timeout: 10_000 })
    expect(without).not.toContain(set.id())
    const { stdout } = spawnSync('readlink', ['/proc/self/fd/3'], {
      stdio: ['ignore', 'pipe', 'inherit', fds.get('uts')],
      encoding: 'utf8',
      timeout: 10_000,
    })
    expect(stdout.trim()).toBe(set.id())
  })

  test('returns independent descriptors, which are closed once', () => {
    const before = resources().descriptors
    const set = NamespaceSet.current('uts')
    const fds = set.fds()
    const id = set.id()
    set.close()
    expect(readlinkSync(`/proc/self/fd/${fds.get('uts')}`)).toBe(id)
    expect(fds.closed).toBe(false)
    fds.close()
    fds.close()
    expect(fds.closed).toBe(true)
    expect(resources().descriptors).toBe(before)
    expect(() => fds.get('uts')).toThrow(closed)
    expect(() => [...fds]).toThrow(closed)
  })

  test('is closed by `using`', () => {
    using set = NamespaceSet.current('uts')
    let kept: FdSet
    {
      using fds = set.fds()
      kept = fds
    }
    expect(kept.closed).toBe(true)
  })
})

describe('an unreferenced set', () => {
  interface Outcome {
    before: number
    open: number
    after: number
    warnings: { name: string; code: string; message: string }[]
  }

  /** Drops the result of a snippet, in a process whose garbage collector runs on demand. */
  function drop(snippet: string, environment = 'development'): Promise<Outcome> {
    return askPlainNode<Outcome>(
      `import { readdirSync } from 'node:fs'
       import { setTimeout } from 'node:timers/promises'
       import { NamespaceSet } from 'nsset'
       const warnings = []
       process.removeAllListeners('warning').on('warning', ({ name, code, message }) => warnings.push({ name, code, message }))
       const count = () => readdirSync('/proc/self/fd').length
       const before = count()
       ;(() => { for (let index = 0; index < 10; index += 1) { ${snippet} } })()
       const open = count()
       for (let turn = 0; turn < 200 && count() > before; turn += 1) { gc(); await setTimeout(10) }
       for (let turn = 0; turn < 5; turn += 1) { gc(); await setTimeout(10) }
       console.log(JSON.stringify({ before, open, after: count(), warnings }))`,
      { flags: ['--expose-gc'], env: { NODE_ENV: environment } },
    )
  }

  test('is closed by the garbage collector, with a single warning', async () => {
    const { before, open, after, warnings } = await drop('NamespaceSet.fromDirectory("/proc/self/ns")')
    expect(open).toBe(before + 80)
    expect(after).toBe(before)
    expect(warnings).toEqual([
      { name: 'NamespaceWarning', code: 'NSSET_DROPPED', message: expect.stringMatching(/NamespaceSet.*close\(\)/) },
    ])
  })

  test('is closed without a warning in production', async () => {
    const { before, open, after, warnings } = await drop('NamespaceSet.fromDirectory("/proc/self/ns")', 'production')
    expect(open).toBe(before + 80)
    expect(after).toBe(before)
    expect(warnings).toEqual([])
  })

  test('that was closed causes no warning', async () => {
    const { before, open, after, warnings } = await drop('NamespaceSet.fromDirectory("/proc/self/ns").close()')
    expect([open, after]).toEqual([before, before])
    expect(warnings).toEqual([])
  })

  test('closes the descriptors of fds(), too', async () => {
    const { before, open, after } = await drop(
      "const set = NamespaceSet.fromDirectory('/proc/self/ns', 'net'); set.fds(); set.close()",
    )
    expect(open).toBe(before + 10)
    expect(after).toBe(before)
  })
})
