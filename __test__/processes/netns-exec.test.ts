/** A program in a named network sees the same as under `ip netns exec NAME`, the oracle, and its cgroup in addition. */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { NamespaceSet, netns, type SpawnOptions } from 'nsset'
import { expect, test } from 'vitest'
import { expectFailure, failureOf, system, type, untyped, value } from '../setup/sets/failure.ts'
import { asOrdinaryUser, asRoot } from '../setup/sets/privilege.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'

const REASON = 'names are mounts, which require root'

/** A named network, a directory of files in /etc/netns, and files in /etc that are removed at the end. */
interface Place extends Disposable {
  name: string
  set: NamespaceSet
  /** The path of a file of this network. */
  own(name: string): string
  /** The path of a file in /etc that no other program uses. */
  etc(name: string): string
}

let last = 0

async function place(): Promise<Place> {
  const name = `nsset-exec-${process.pid}-${++last}`
  const wasThere = existsSync('/etc/netns')
  const directory = `/etc/netns/${name}`
  mkdirSync(directory, { recursive: true })
  const set = await netns.create(name, { loopback: true })
  await set.network.links.add({ kind: 'bridge', name: 'br-exec' })
  return {
    name,
    set,
    own: (file) => `${directory}/${file}`,
    etc: (file) => `/etc/${name}-${file}`,
    [Symbol.dispose]() {
      set.close()
      execFileSync('ip', ['netns', 'delete', name], { timeout: 10_000 })
      rmSync(directory, { recursive: true })
      if (!wasThere && readdirSync('/etc/netns').length === 0) rmSync('/etc/netns', { recursive: true })
      for (const file of readdirSync('/etc')) if (file.startsWith(`${name}-`)) rmSync(`/etc/${file}`)
    },
  }
}

/** The output of a script under `ip netns exec`. */
function underIp({ name }: Place, script: string): string {
  const command = ['netns', 'exec', name, 'sh', '-c', script]
  return execFileSync('ip', command, { encoding: 'utf8', timeout: 10_000, stdio: ['ignore', 'pipe', 'ignore'] })
}

async function here(set: NamespaceSet, script: string, options: Partial<SpawnOptions> = {}): Promise<string> {
  const { stdio: _, ...rest } = options
  return (await set.execFile('sh', ['-c', script], { ...rest, timeout: 20_000 })).stdout
}

const outside = (script: string) => execFileSync('sh', ['-c', script], { encoding: 'utf8', timeout: 10_000 })

asRoot('it sees the links, the files of the network, and everything else, as under ip netns exec', REASON, async () => {
  using it = await place()
  writeFileSync(it.own('resolv.conf'), 'nameserver 192.0.2.53\n')
  writeFileSync(it.own('hosts'), '192.0.2.1 of-the-name\n')
  using opened = netns.open(it.name)
  using copy = opened.dup()
  const scripts = ['ls /sys/class/net', 'cat /etc/resolv.conf', 'cat /etc/hosts', 'cat /etc/passwd', 'pwd', 'ls /sys']
  for (const script of scripts) {
    for (const set of [it.set, opened, copy]) expect(await here(set, script), script).toBe(underIp(it, script))
  }
  expect(await here(it.set, 'cat /etc/resolv.conf')).toBe('nameserver 192.0.2.53\n')
  expect(outside('cat /etc/resolv.conf /etc/hosts')).not.toContain('192.0.2')
  expect(outside('ls /sys/class/net')).not.toContain('br-exec')
})

asRoot('it sees its cgroup, which ip netns exec hides', REASON, async () => {
  using it = await place()
  const files = 'find /sys/fs/cgroup -maxdepth 2 | sort'
  expect(await here(it.set, files)).toBe(outside(files))
  expect(underIp(it, files)).not.toBe(outside(files))
  const memory = async (set: NamespaceSet) =>
    (await set.execFile(process.execPath, ['-p', 'process.constrainedMemory()'])).stdout
  using same = NamespaceSet.current('uts')
  expect(await memory(it.set)).toBe(await memory(same))
})

asRoot('spawn, execFile and fork do the same', REASON, async () => {
  using it = await place()
  using directory = temporaryDirectory()
  writeFileSync(it.own('hosts'), '192.0.2.1 of-the-name\n')
  const script = directory.file('child.mjs')
  writeFileSync(script, "import { readFileSync } from 'node:fs'\nprocess.send(readFileSync('/etc/hosts', 'utf8'))\n")
  const child = it.set.fork(script)
  expect(await once(child, 'message')).toEqual(['192.0.2.1 of-the-name\n', undefined])
  const cat = it.set.spawn('cat', ['/etc/hosts'], { stdio: ['ignore', 'pipe', 'ignore'] })
  cat.stdout.setEncoding('utf8')
  expect(await once(cat.stdout, 'data')).toEqual(['192.0.2.1 of-the-name\n'])
})

asRoot('it works with other kinds in the set', REASON, async () => {
  using it = await place()
  writeFileSync(it.own('hosts'), '192.0.2.1 of-the-name\n')
  using set = await NamespaceSet.unshare(['net', 'uts', 'pid', 'ipc'], { hostname: 'inside' })
  const name = `${it.name}b`
  await netns.attach(name, set, { temporary: true })
  mkdirSync(`/etc/netns/${name}`)
  try {
    writeFileSync(`/etc/netns/${name}/hosts`, '192.0.2.2 of-the-other\n')
    const output = await here(set, 'cat /etc/hosts; hostname; echo $$; LC_ALL=C ls /sys/class/net')
    // Where modules of tunnels are loaded, the kernel makes a link of each in every network.
    const links = (await set.network.links.list()).map((link) => link.name).toSorted()
    expect(output).toBe(`192.0.2.2 of-the-other\ninside\n2\n${links.join('\n')}\n`)
    const [net, mnt] = (await here(set, 'readlink /proc/self/ns/net /proc/self/ns/mnt', { kinds: 'uts' })).split('\n')
    expect([net, mnt]).toEqual([readlinkSync('/proc/self/ns/net'), readlinkSync('/proc/self/ns/mnt')])
  } finally {
    rmSync(`/etc/netns/${name}`, { recursive: true })
  }
})

asRoot(
  'a file that /etc does not have is not added, a directory is covered, a dangling link is left out',
  REASON,
  async () => {
    using it = await place()
    writeFileSync(it.own('nsset-without-counterpart'), 'x')
    symlinkSync('/nonexistent/file', it.own('hosts'))
    mkdirSync(it.own('ssl'))
    writeFileSync(it.own('ssl/own'), 'x')
    for (const script of ['ls /etc/nsset* 2>/dev/null || echo none', 'cat /etc/hosts', 'ls /etc/ssl']) {
      expect(await here(it.set, script), script).toBe(underIp(it, script))
    }
    expect(await here(it.set, 'ls /etc/ssl')).toBe('own\n')
  },
)

asRoot('a directory over a file is an error that names both, and nothing is left', REASON, async () => {
  using it = await place()
  mkdirSync(it.own('hosts'))
  const before = readFileSync('/proc/self/mountinfo', 'utf8')
  const failure = await failureOf(() => it.set.execFile('true'))
  expectFailure(failure, system('EINVAL', 'mount bind', '/etc/hosts', 'a directory goes on a directory'))
  expect(await here(it.set, 'cat /etc/hosts', { netnsFiles: false })).toBe(outside('cat /etc/hosts'))
  expect(readFileSync('/proc/self/mountinfo', 'utf8')).toBe(before)
})

asRoot('a symbolic link is covered itself: a dangling one, and one whose file is replaced', REASON, async () => {
  using it = await place()
  using directory = temporaryDirectory()
  const run = directory.file('stub.conf')
  writeFileSync(run, 'of the host\n')
  symlinkSync(run, it.etc('good'))
  symlinkSync(directory.file('missing'), it.etc('dangling'))
  for (const file of ['good', 'dangling']) writeFileSync(it.own(`${it.name}-${file}`), `${file} of the name\n`)
  const cat = `cat ${it.etc('good')} ${it.etc('dangling')}`
  // Under ip netns exec the file does not exist here.
  expect(() => underIp(it, cat)).toThrow()
  expect(await here(it.set, cat)).toBe('good of the name\ndangling of the name\n')
  expect(readFileSync(run, 'utf8')).toBe('of the host\n')

  const watch = `echo ready; read line; cat ${it.etc('good')}`
  const child = it.set.spawn('sh', ['-c', watch], { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdout.setEncoding('utf8')
  await once(child.stdout, 'data')
  writeFileSync(`${run}.new`, 'new of the host\n')
  renameSync(`${run}.new`, run)
  child.stdin.end('go on\n')
  expect(await once(child.stdout, 'data')).toEqual(['good of the name\n'])
})

asRoot('a file renamed over the host’s file uncovers it, as under ip netns exec', REASON, async () => {
  using it = await place()
  const file = it.etc('file')
  writeFileSync(file, 'of the host\n')
  writeFileSync(it.own(`${it.name}-file`), 'of the name\n')
  const child = it.set.spawn('sh', ['-c', `cat ${file}; read line; cat ${file}`], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  child.stdout.setEncoding('utf8')
  expect(await once(child.stdout, 'data')).toEqual(['of the name\n'])
  writeFileSync(`${file}.new`, 'new of the host\n')
  renameSync(`${file}.new`, file)
  child.stdin.end('go on\n')
  // The kernel unmounts what is on a deleted file (rename(2)), in every mount namespace.
  expect(await once(child.stdout, 'data')).toEqual(['new of the host\n'])
})

asRoot('mounts and unmounts outside are visible; mounts inside stay inside', REASON, async () => {
  using it = await place()
  using directory = temporaryDirectory()
  const [shared, disk] = [directory.path, directory.file('disk')]
  outside(`mount -t tmpfs shared ${shared} && mount --make-shared ${shared} && mkdir ${disk}`)
  try {
    const child = it.set.spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] })
    await once(child, 'spawn')
    outside(`mount -t tmpfs disk ${disk}`)
    const mounts = () => readFileSync(`/proc/${child.pid}/mountinfo`, 'utf8')
    expect(mounts()).toContain(` ${disk} `)
    outside(`umount ${disk}`)
    expect(mounts()).not.toContain(` ${disk} `)
    await here(it.set, `mount -t tmpfs inside ${disk} && test -d ${disk}`)
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(` ${disk} `)
    child.stdin.end()
    await once(child, 'exit')
  } finally {
    outside(`umount ${shared}`)
  }
})

asRoot('netnsFiles: false, and other sets, show the files of the caller', REASON, async () => {
  using it = await place()
  writeFileSync(it.own('hosts'), '192.0.2.1 of-the-name\n')
  const script = 'readlink /proc/self/ns/mnt; cat /etc/hosts; ls /sys/class/net'
  const seen = outside(script)
  expect(await here(it.set, script, { netnsFiles: false })).toBe(seen)
  using byPath = NamespaceSet.fromPath(`${netns.directory}/${it.name}`)
  expect(await here(byPath, script)).toBe(seen)
  using files = await NamespaceSet.unshare(['net', 'mnt'], { sysfs: false })
  await netns.attach(`${it.name}c`, files, { temporary: true })
  expect(await here(files, 'cat /etc/hosts; ls /sys/class/net')).toBe(outside('cat /etc/hosts; ls /sys/class/net'))
})

asRoot('netnsFiles: true is an error without a name, or when it cannot be done', REASON, async () => {
  using it = await place()
  expect(await here(it.set, 'ls /sys/class/net', { netnsFiles: true })).toContain('br-exec')
  using files = await NamespaceSet.unshare(['net', 'mnt', 'uts'])
  await netns.attach(`${it.name}d`, files, { temporary: true })
  const wrong: [NamespaceSet, Partial<SpawnOptions>][] = [
    [files, {}],
    [it.set, { kinds: 'uts' }],
  ]
  for (const [set, options] of wrong) {
    const failure = await failureOf(() => here(set, 'true', { ...options, netnsFiles: true }))
    expectFailure(failure, value('options.netnsFiles', "a set of 'netns'"))
  }
})

asOrdinaryUser('a set without a name has no files of a name', async () => {
  using set = await NamespaceSet.unshare(['user', 'net'], { mapUser: 'root' })
  expectFailure(await failureOf(() => set.execFile('true', { netnsFiles: true })), value('options.netnsFiles'))
  expect(await here(set, 'readlink /proc/self/ns/mnt')).toBe(`${readlinkSync('/proc/self/ns/mnt')}\n`)
})

asOrdinaryUser('the caller’s own network may have a name: its programs run as before', async () => {
  using directory = temporaryDirectory()
  symlinkSync('/proc/self/ns/net', directory.file('own'))
  using set = netns.open('own', { directory: directory.path })
  expect(await here(set, 'readlink /proc/self/ns/mnt')).toBe(`${readlinkSync('/proc/self/ns/mnt')}\n`)
  const failure = await failureOf(() => set.execFile('true', { netnsFiles: true }))
  expectFailure(failure, system('EPERM', 'unshare', 'CAP_SYS_ADMIN'))
})

test('netnsFiles is a boolean', async () => {
  using set = NamespaceSet.current('net')
  const failure = await failureOf(() => set.execFile('true', { netnsFiles: untyped<boolean>('yes') }))
  expectFailure(failure, type('options.netnsFiles', "'yes'"))
})
