/** /sys of a set with a mount namespace and a network of its own shows that network, and what was below it before. */
import { mkdirSync, readFileSync } from 'node:fs'
import { type MountSpec, type NamespaceKind, NamespaceSet, type UnshareOptions } from 'nsset'
import { describe, expect, test } from 'vitest'
import { type Case, expectFailure, failureOf, refuses, system, type, untyped, value } from '../setup/sets/failure.ts'
import { asRoot, isRoot } from '../setup/sets/privilege.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'

/** Both root and an ordinary user make these: a user namespace owns them. */
function withNetwork(options: UnshareOptions = {}, kinds: NamespaceKind[] = ['net', 'mnt']): Promise<NamespaceSet> {
  return NamespaceSet.unshare(['user', ...kinds], { mapUser: 'root', ...options })
}

async function shell(set: NamespaceSet, script: string): Promise<string> {
  const env = { PATH: `${process.env['PATH']}:/usr/sbin:/sbin`, LC_ALL: 'C' }
  return (await set.execFile('sh', ['-c', script], { env, timeout: 20_000 })).stdout.trim()
}

/** The links that /sys shows inside, and those that the kernel tells of when it is asked for those inside. */
async function linksOf(set: NamespaceSet): Promise<{ inSys: string[]; inside: string[] }> {
  const inside = JSON.parse(await shell(set, 'ip -j link')).map(({ ifname }: { ifname: string }) => ifname)
  return { inSys: (await shell(set, 'ls /sys/class/net')).split('\n'), inside: inside.sort() }
}

/** What /sys shows outside: of a program that is in the network alone. */
async function linksOutside(): Promise<string> {
  using here = NamespaceSet.current('uts')
  return await shell(here, 'ls /sys/class/net')
}

interface Mount {
  target: string
  options: string
  type: string
}

/** The mounts inside that can be seen: the last one at each path below this one. */
async function mountsBelow(set: NamespaceSet, path: string): Promise<Mount[]> {
  const { stdout } = await set.execFile('cat', ['/proc/thread-self/mountinfo'])
  const mounts = new Map<string, Mount>()
  for (const line of stdout.trimEnd().split('\n')) {
    const [, , , , target = '', options = ''] = line.split(' ')
    const [type = ''] = line.slice(line.indexOf(' - ') + 3).split(' ')
    if (target === path || target.startsWith(`${path}/`)) mounts.set(target, { target, options, type })
  }
  return [...mounts.values()].sort((one, other) => (one.target < other.target ? -1 : 1))
}

const mountAt = async (set: NamespaceSet, path: string) =>
  (await mountsBelow(set, path)).find(({ target }) => target === path)

describe('/sys shows the network of the set', () => {
  test('where both are new', async () => {
    using set = await withNetwork()
    await set.network.links.add({ kind: 'bridge', name: 'br-in-sys' })
    const { inSys, inside } = await linksOf(set)
    expect(inSys).toEqual(inside)
    expect(inSys).toContain('br-in-sys')
    expect((await linksOutside()).split('\n')).not.toContain('br-in-sys')
  })

  test('with a pid namespace, whose PID 1 does the mounts', async () => {
    using set = await withNetwork({ mounts: [{ type: 'proc', target: '/proc' }] }, ['net', 'mnt', 'pid'])
    const { inSys, inside } = await linksOf(set)
    expect(inSys).toEqual(inside)
  })

  test('where the network is that of the set it is made from', async () => {
    using base = await withNetwork({}, ['net'])
    await base.network.links.add({ kind: 'bridge', name: 'br-of-base' })
    using set = await base.unshare('mnt')
    const { inSys, inside } = await linksOf(set)
    expect(inSys).toEqual(inside)
    expect(inSys).toContain('br-of-base')
    expect(await shell(base, 'ls /sys/class/net')).toBe(await linksOutside())
  })

  test('and a set that is made from one with files of its own leaves those alone', async () => {
    using base = await withNetwork({ sysfs: false })
    using set = await base.unshare('net')
    await set.network.links.add({ kind: 'bridge', name: 'br-above' })
    expect(await shell(set, 'ls /sys/class/net')).toBe(await linksOutside())
  })

  asRoot('without a user namespace', 'an ordinary user needs one', async () => {
    const before = readFileSync('/proc/self/mountinfo', 'utf8')
    using set = await NamespaceSet.unshare(['net', 'mnt'])
    const { inSys, inside } = await linksOf(set)
    expect(inSys).toEqual(inside)
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).toBe(before)
  })
})

describe('what is mounted below /sys', () => {
  test('stays there: a program inside finds its cgroup and its limits', async () => {
    using set = await withNetwork()
    using here = NamespaceSet.current('uts')
    const below = async (of: NamespaceSet) => (await mountsBelow(of, '/sys')).map(({ target, type }) => [target, type])
    expect(await below(set)).toEqual(await below(here))
    const files = 'find /sys/fs/cgroup -maxdepth 2 | sort'
    expect(await shell(set, files)).toBe(await shell(here, files))
    const memory = async (of: NamespaceSet) =>
      (await of.execFile(process.execPath, ['-p', 'process.constrainedMemory()'])).stdout
    expect(await memory(set)).toBe(await memory(here))
  })

  test('stays hidden where it hides something, and stays as writable as it was', async () => {
    const options = { source: 'mask', readOnly: true }
    using base = await withNetwork({ mounts: [{ type: 'tmpfs', target: '/sys/kernel/mm', ...options }] }, ['mnt'])
    using set = await base.unshare(['net', 'mnt'])
    expect(await shell(set, 'ls /sys/class/net')).toBe('lo')
    expect(await shell(set, 'ls /sys/kernel/mm')).toBe('')
    expect((await mountAt(set, '/sys/kernel/mm'))?.options).toMatch(/^ro,/)
  })

  test('stays below it, however deep: a mount on a mount', async () => {
    const mounts: MountSpec[] = [
      { type: 'tmpfs', target: '/sys/kernel/mm', options: { mode: '0755' } },
      { type: 'bind', source: '/sys/kernel/slab', target: '/sys/kernel/mm' },
      { type: 'tmpfs', target: '/sys/kernel/debug' },
    ]
    using base = await withNetwork({ mounts }, ['mnt'])
    using set = await base.unshare(['net', 'mnt'])
    expect(await shell(set, 'ls /sys/class/net')).toBe('lo')
    expect(await shell(set, 'ls /sys/kernel/mm | head -3')).toBe(await shell(base, 'ls /sys/kernel/slab | head -3'))
    expect((await mountAt(set, '/sys/kernel/debug'))?.type).toBe('tmpfs')
  })

  test('keeps a user namespace further in from another view, and the set is made without it', async () => {
    using base = await withNetwork({ mounts: [{ type: 'tmpfs', target: '/sys/kernel/mm' }] }, ['mnt'])
    using set = await base.unshare(['user', 'net', 'mnt'], { mapUser: 'root' })
    expect(await shell(set, 'ls /sys/class/net')).toBe(await linksOutside())
    expect(await shell(set, 'ls /sys/kernel/mm')).toBe('')
    const failure = await failureOf(() =>
      base.unshare(['user', 'net', 'mnt'], { mapUser: 'root', sysfs: true }).then((made) => made.close()),
    )
    expectFailure(failure, system('EPERM', 'mount', '/sys'))
  })
})

describe('the options say otherwise', () => {
  test('sysfs: false', async () => {
    using set = await withNetwork({ sysfs: false })
    expect(await shell(set, 'ls /sys/class/net')).toBe(await linksOutside())
  })

  test('one of the mounts is on /sys', async () => {
    using bound = await withNetwork({ mounts: [{ type: 'bind', source: '/sys', target: '/sys' }] })
    expect(await shell(bound, 'ls /sys/class/net')).toBe(await linksOutside())
    using empty = await withNetwork({ mounts: [{ type: 'tmpfs', target: '/tmp/../sys/' }] })
    expect(await shell(empty, 'ls /sys')).toBe('')
  })

  test('a bind of the outside’s /sys to another place shows the outside', async () => {
    using directory = temporaryDirectory()
    using set = await withNetwork({ mounts: [{ type: 'bind', source: '/sys', target: directory.path }] })
    expect(await shell(set, `ls ${directory.path}/class/net`)).toBe(await linksOutside())
    expect(await shell(set, 'ls /sys/class/net')).toBe('lo')
  })

  test('mounts that travel outside are not made unasked', async () => {
    using set = await withNetwork({ propagation: 'unchanged' })
    expect(await shell(set, 'ls /sys/class/net')).toBe(await linksOutside())
  })

  test('sysfs: true is an error where the kernel refuses it', async () => {
    const make = () => withNetwork({ sysfs: true }, ['mnt']).then((made) => made.close())
    if (isRoot) expectFailure(await failureOf(make), system('EPERM', '/sys', 'owns the net namespace'))
    expectFailure(await failureOf(make), system('EPERM', '/sys'))
  })
})

describe('with other mounts', () => {
  test('a read-only view of the host has a read-only /sys of the network', async () => {
    using set = await withNetwork({ mounts: [{ type: 'bind', source: '/', target: '/', readOnly: true }] })
    const { inSys, inside } = await linksOf(set)
    expect(inSys).toEqual(inside)
    expect((await mountAt(set, '/sys'))?.options).toMatch(/^ro[,]?/)
    using here = NamespaceSet.current('uts')
    const files = 'ls /sys/fs/cgroup'
    expect(await shell(set, files)).toBe(await shell(here, files))
    await expect(shell(set, 'echo 1 > /sys/class/net/lo/ifalias')).rejects.toThrow('Read-only file system')
  })

  test('/sys keeps the attributes that it has', async () => {
    const bind: MountSpec = { type: 'bind', source: '/sys', target: '/sys', readOnly: true, noExec: true, noSuid: true }
    using base = await withNetwork({ mounts: [bind] }, ['mnt'])
    using set = await base.unshare(['net', 'mnt'])
    expect(await shell(set, 'ls /sys/class/net')).toBe('lo')
    const options = async (of: NamespaceSet) => (await mountAt(of, '/sys'))?.options
    expect(await options(set)).toBe(await options(base))
  })

  test('a root directory gets it where it shows /sys of the outside, and nowhere else unasked', async () => {
    using directory = temporaryDirectory()
    for (const name of ['bin', 'lib', 'lib64', 'usr', 'sys', 'proc', 'other']) mkdirSync(directory.file(name))
    const system: MountSpec[] = ['/bin', '/lib', '/lib64', '/usr', '/proc'].map((path) => {
      return { type: 'bind', source: path, target: path }
    })
    const root = directory.path
    using empty = await withNetwork({ root, mounts: system })
    expect(await shell(empty, 'ls /sys')).toBe('')
    using asked = await withNetwork({ root, mounts: system, sysfs: true })
    expect(await shell(asked, 'ls /sys/class/net')).toBe('lo')
    expect((await mountAt(asked, '/sys'))?.options).toContain('nosuid,nodev,noexec')
    using bound = await withNetwork({ root, mounts: [...system, { type: 'bind', source: '/sys', target: '/sys' }] })
    expect(await shell(bound, 'ls /sys/class/net')).toBe(await linksOutside())
    using whole = await withNetwork({ root, mounts: [{ type: 'bind', source: '/', target: '/', readOnly: true }] })
    expect(await shell(whole, 'ls /sys/class/net')).toBe('lo')
  })
})

describe('a wrong option', () => {
  const make = (options: unknown, kinds: NamespaceKind[] = ['net', 'mnt']) => {
    return () => withNetwork(untyped<UnshareOptions>(options), kinds)
  }
  refuses([
    ['a word', make({ sysfs: 'yes' }), type('options.sysfs', "'yes'")],
    ['without a mount namespace', make({ sysfs: true }, ['net']), value("'sysfs' needs a new mnt namespace")],
  ] satisfies Case[])
})
