/** `set.enter()`: a thread goes inside permanently; intended for a Worker, which ends before its test does. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { type NamespaceKind, NamespaceSet } from 'nsset'
import { describe, expect, test } from 'vitest'
import { ENTERABLE, type Place, setPlace, threadPlace } from '../setup/guards/thread-place.ts'
import { inWorker } from '../setup/processes/worker.ts'
import { AS_ROOT_INSIDE, askPlainNode } from '../setup/programs/plain-node.ts'
import { asOrdinaryUser, asRoot, isRoot } from '../setup/sets/privilege.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'

const REASON = "an ordinary user's thread may not enter its own namespaces (setns(2))"

/** For Workers, which open a set of this process by the paths of its namespaces. */
const PLACE = `const place = () => Object.fromEntries(fs.readdirSync('/proc/thread-self/ns')
  .filter((kind) => !kind.endsWith('_for_children'))
  .map((kind) => [kind, fs.readlinkSync('/proc/thread-self/ns/' + kind)]));`

const pathsOf = (set: NamespaceSet) => set.kinds.map((kind) => set.path(kind))

describe('on the main thread', () => {
  for (const [name, options] of Object.entries({ 'without options': undefined, 'with false': { mainThread: false } })) {
    test(`throws ${name}`, () => {
      using set = NamespaceSet.current()
      const why = expect.stringMatching(/permanent.*main thread.*do\(\).*Worker.*mainThread: true/)
      expect(() => set.enter(options)).toThrow(
        expect.objectContaining({ code: 'ERR_NSSET_NOT_ENTERABLE', message: why }),
      )
    })
  }

  test('works with { mainThread: true }', async () => {
    const program = `
      import { execFileSync } from 'node:child_process'
      import { readdirSync, readlinkSync } from 'node:fs'
      import { hostname } from 'node:os'
      import { NamespaceSet } from 'nsset'
      const outside = readlinkSync('/proc/thread-self/ns/uts')
      const set = NamespaceSet.unshareSync(['uts', 'net'], { hostname: 'inside' })
      set.enter({ mainThread: true })
      const others = readdirSync('/proc/self/task').filter((tid) => tid !== String(process.pid))
      await new Promise((resolve) => setTimeout(resolve, 5))
      console.log(JSON.stringify({
        hostname: hostname(),
        ofChild: execFileSync('hostname', { encoding: 'utf8' }).trim(),
        isInside: readlinkSync('/proc/self/ns/net') === set.id('net'),
        othersOutside: others.every((tid) => readlinkSync('/proc/self/task/' + tid + '/ns/uts') === outside),
        others: others.length,
      }))`
    const seen = await askPlainNode<{ others: number }>(program, { prefix: AS_ROOT_INSIDE })
    expect(seen).toMatchObject({ hostname: 'inside', ofChild: 'inside', isInside: true, othersOutside: true })
    expect(seen.others).toBeGreaterThan(4)
  })
})

describe('in a Worker', () => {
  asRoot('keeps the working directory by name in another mount namespace', REASON, async () => {
    using set = NamespaceSet.unshareSync('mnt')
    const seen = await inWorker<{ is: string; believed: string }>(
      `const set = nsset.NamespaceSet.fromPath(data)
      set.enter()
      set.close()
      return { is: fs.readlinkSync('/proc/thread-self/cwd'), believed: process.cwd() }`,
      set.path('mnt'),
    )
    expect(seen).toEqual({ is: process.cwd(), believed: process.cwd() })
  })

  asRoot('goes inside permanently, while the main thread stays', REASON, async () => {
    const home = threadPlace()
    const outside = hostname()
    using set = NamespaceSet.unshareSync(['net', 'uts', 'ipc', 'cgroup'], { hostname: 'inside' })
    const seen = await inWorker<{ before: Place; after: Place; hostname: string; ofChild: string }>(
      `${PLACE}
      const before = place()
      for (const path of data) nsset.NamespaceSet.fromPath(path).enter()
      await new Promise((resolve) => setTimeout(resolve, 5))
      const ofChild = child_process.execFileSync('hostname', { encoding: 'utf8' }).trim()
      return { before, after: place(), hostname: os.hostname(), ofChild }`,
      pathsOf(set),
    )
    expect(seen.before).toEqual(home)
    expect(seen.after).toEqual({ ...home, ...setPlace(set) })
    expect([seen.hostname, seen.ofChild]).toEqual(['inside', 'inside'])
    expect([threadPlace(), hostname()]).toEqual([home, outside])
  })

  asRoot('continues to work with a /proc inside that has other pids', REASON, async () => {
    using set = NamespaceSet.unshareSync(['mnt', 'pid'], {
      mounts: [
        { type: 'proc', target: '/proc' },
        { type: 'tmpfs', target: '/mnt' },
      ],
    })
    const answer = await inWorker<{ isUnmounted: boolean; same: boolean; who: string; hostname: string }>(
      `const { NamespaceSet } = nsset
       const set = NamespaceSet.fromPath(data.path)
       set.enter()
       const uts = NamespaceSet.unshareSync('uts', { hostname: 'deep' })
       fs.mkdirSync('/mnt/names')
       uts.mountSync('/mnt/names')
       const again = NamespaceSet.fromDirectory('/mnt/names')
       const fds = uts.fds()
       const same = again.equals(uts) && NamespaceSet.fromFd(fds.get('uts')).equals(uts)
       const user = NamespaceSet.unshareSync('user', { mapUser: 'root' })
       const who = (await user.execFile('id', ['-u'])).stdout
       const hostname = (await uts.execFile('hostname')).stdout
       NamespaceSet.unmountSync('/mnt/names')
       const left = fs.readdirSync('/mnt/names')
       for (const each of [set, uts, again, fds, user]) each.close()
       return { isUnmounted: left.length === 0, same, who, hostname }`,
      { path: set.path('mnt') },
    )
    expect(answer).toEqual({ isUnmounted: true, same: true, who: '0\n', hostname: 'deep\n' })
  })

  asRoot('reads files inside synchronously, with mnt', REASON, async () => {
    using directory = temporaryDirectory()
    const target = directory.file('target')
    mkdirSync(target)
    writeFileSync(join(target, 'outside'), '')
    using set = NamespaceSet.unshareSync('mnt', { mounts: [{ type: 'tmpfs', target }] })
    const seen = await inWorker<{ before: string[]; after: string[]; ofPool: string[] }>(
      `const before = fs.readdirSync(data.target)
      nsset.NamespaceSet.fromPath(data.path).enter()
      fs.writeFileSync(data.target + '/inside', '')
      // libuv's pool stays outside.
      return { before, after: fs.readdirSync(data.target), ofPool: await fs.promises.readdir(data.target) }`,
      { target, path: set.path() },
    )
    expect(seen).toEqual({ before: ['outside'], after: ['inside'], ofPool: ['outside'] })
    expect(readdirSync(target)).toEqual(['outside'])
    expect((await set.execFile('ls', [target])).stdout).toBe('inside\n')
  })

  asRoot('is where do() returns to', REASON, async () => {
    using home = NamespaceSet.unshareSync(['net', 'uts'])
    using away = NamespaceSet.unshareSync(['net', 'ipc'])
    const seen = await inWorker<Place[]>(
      `${PLACE}
      const open = (paths) => paths.map((path) => nsset.NamespaceSet.fromPath(path))
      for (const set of open(data.home)) set.enter()
      const [before, [ipc, net]] = [place(), open(data.away)]
      const inside = ipc.do(() => net.do(place))
      return [before, inside, place()]`,
      { home: pathsOf(home), away: pathsOf(away) },
    )
    const entered = { ...threadPlace(), ...setPlace(home) }
    expect(seen).toEqual([entered, { ...entered, ...setPlace(away) }, entered])
  })

  asRoot('enters only { kinds }, and nothing when one of them fails', REASON, async () => {
    using directory = temporaryDirectory()
    using set = NamespaceSet.unshareSync(['net', 'uts', 'time'])
    await set.mount(directory.path)
    const seen = await inWorker<{ code: string; kind: string; refused: Place; after: Place }>(
      `${PLACE}
      const set = nsset.NamespaceSet.fromDirectory(data)
      try { set.enter() } catch (error) {
        const refused = place()
        set.enter({ kinds: 'uts' })
        return { code: error.code, kind: error.kind, refused, after: place() }
      }`,
      directory.path,
    )
    await NamespaceSet.unmount(directory.path)
    const home = threadPlace()
    expect(seen).toMatchObject({ code: 'ERR_NSSET_NOT_ENTERABLE', kind: 'time', refused: home })
    expect(seen.after).toEqual({ ...home, uts: set.id('uts') })
  })

  const IMPOSSIBLE: NamespaceKind[] = ['user', 'time', 'pid']
  for (const kind of IMPOSSIBLE) {
    test(`throws for ${kind}, and names the alternative`, async () => {
      const kinds: NamespaceKind[] = isRoot || kind === 'user' ? [kind] : ['user', kind]
      using set = NamespaceSet.unshareSync(kinds, kinds.includes('user') ? { mapUser: 'root' } : {})
      const why = expect.stringMatching(/spawn, execFile or fork.*kinds/)
      await expect(inWorker('nsset.NamespaceSet.fromPath(data).enter()', set.path(kind))).rejects.toMatchObject({
        code: 'ERR_NSSET_NOT_ENTERABLE',
        kind,
        message: why,
      })
    })
  }

  test('accepts the thread’s own kinds', async () => {
    const seen = await inWorker<Place[]>(
      `${PLACE}
      const before = place()
      nsset.NamespaceSet.current().enter()
      return [before, place()]`,
    )
    expect(seen).toEqual([threadPlace(), threadPlace()])
  })

  for (const kind of [...ENTERABLE, 'mnt'] as const) {
    asOrdinaryUser(`throws for an ordinary user's ${kind}, with the reason and the alternative`, async () => {
      using set = NamespaceSet.unshareSync(['user', kind], { mapUser: 'root' })
      const why = expect.stringMatching(/CAP_SYS_ADMIN.*ordinary user.*spawn, execFile, fork/s)
      await expect(inWorker('nsset.NamespaceSet.fromPath(data).enter()', set.path(kind))).rejects.toMatchObject({
        code: 'ERR_NSSET_NOT_ENTERABLE',
        kind,
        message: why,
      })
    })
  }
})
