/**
 * Another user exchanges the directories above a target while root mounts, unmounts and names namespaces there: only what
 * root's own calls made is unmounted or removed. `NSSET_TRIES` sets how many attempts are made; if it is not set, there are
 * 2,000, and 200 in the virtual machine, which is slower.
 */
import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { NamespaceSet } from 'nsset'
import { describe, expect } from 'vitest'
import { compileExchanger, startExchanger } from '../setup/c-programs/exchanger.ts'
import { isVm } from '../setup/oracles/iproute.ts'
import { mountsBelow } from '../setup/oracles/mounts.ts'
import { askPlainNode } from '../setup/programs/plain-node.ts'
import { asRoot } from '../setup/sets/privilege.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'

const REASON = 'only root could be made to unmount what is others’'
const TRIES = Number(process.env['NSSET_TRIES'] ?? (isVm ? 200 : 2_000))
const OTHER_USER = 1234

/** A mount namespace of its own for what mounts much: other tests count the mounts of this one. */
const PRIVATE_MOUNTS = ['unshare', '--mount', '--propagation', 'private', '--']

interface Scene extends Disposable {
  /** Root's: a directory `net`, and `ipc` and `uts`, files as `mount` makes them. */
  readonly victim: string
  /** The other user's: the directories `ns` and `other`, and `link`, which leads to the victim. */
  readonly theirs: string
}

function scene(): Scene {
  const directory = temporaryDirectory()
  chmodSync(directory.path, 0o755)
  const [victim, theirs] = [directory.file('victim'), directory.file('theirs')]
  mkdirSync(`${victim}/net`, { recursive: true })
  for (const kind of ['ipc', 'uts']) writeFileSync(`${victim}/${kind}`, '', { mode: 0 })
  for (const path of [theirs, `${theirs}/ns`, `${theirs}/other`]) {
    mkdirSync(path)
    chownSync(path, OTHER_USER, OTHER_USER)
  }
  linkOfTheirs(victim, `${theirs}/link`)
  return { victim, theirs, [Symbol.dispose]: () => directory[Symbol.dispose]() }
}

function linkOfTheirs(target: string, path: string): void {
  execFileSync('ln', ['-sfn', target, path], { timeout: 10_000 })
  execFileSync('chown', ['-h', `${OTHER_USER}:${OTHER_USER}`, path], { timeout: 10_000 })
}

/** Mounts a tmpfs and a namespace in the victim's directory, and has `foreign()` say what is there. */
const prelude = ({ victim }: Scene) => `
  import { execFileSync, spawn } from 'node:child_process'
  import { readdirSync, readFileSync } from 'node:fs'
  import { NamespaceSet, netns } from 'nsset'
  const victim = '${victim}/'
  execFileSync('mount', ['-t', 'tmpfs', 'victim', victim + 'net'])
  const uts = NamespaceSet.unshareSync('uts')
  uts.mountSync({ uts: victim + 'uts' })
  uts.close()
  const foreign = () => {
    const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\\n').map((line) => line.split(' '))
    const below = lines.filter((fields) => fields[4]?.startsWith(victim))
    const mounts = below.map((fields) => fields[fields.indexOf('-') + 1] + ' ' + fields[4].slice(victim.length))
    return { mounts, files: readdirSync(victim).sort() }
  }`

const UNTOUCHED = { mounts: ['tmpfs net', 'nsfs uts'], files: ['ipc', 'net', 'uts'] }

interface Race {
  foreign: typeof UNTOUCHED
  /** How many attempts succeeded (`done`), and how many failed with which code. */
  outcomes: Record<string, number>
  exchanges: number
}

/** Makes attempts, the body of an asynchronous function of `index`, while the other user exchanges. */
async function race(place: Scene, attempt: string): Promise<Race> {
  using program = compileExchanger()
  if (program === undefined) throw new Error('there is no C compiler')
  const exchanger = await startExchanger(program, OTHER_USER, place.theirs, ['ns', 'link', 'other'])
  let result: Omit<Race, 'exchanges'> | undefined
  let exchanges = 0
  try {
    result = await askPlainNode<Omit<Race, 'exchanges'>>(
      `${prelude(place)}
       const ns = '${place.theirs}/ns'
       const set = NamespaceSet.unshareSync(['ipc', 'net', 'uts'])
       const attempt = async (index) => { ${attempt} }
       const outcomes = {}
       const count = (outcome) => (outcomes[outcome] = (outcomes[outcome] ?? 0) + 1)
       for (let index = 0; index < ${TRIES}; index += 1) {
         await attempt(index).then(() => count('done'), ({ code }) => count(code))
       }
       set.close()
       console.log(JSON.stringify({ foreign: foreign(), outcomes }))`,
      { prefix: PRIVATE_MOUNTS },
    )
  } finally {
    exchanges = await exchanger.stop()
  }
  if (process.env['NSSET_TRIES'] !== undefined) console.log(exchanges, result)
  return { ...result, exchanges }
}

/** Nothing foreign was touched; and it was a race: both got their way, over and over. */
function expectUntouched({ foreign, outcomes, exchanges }: Race): void {
  expect(foreign).toEqual(UNTOUCHED)
  expect(exchanges).toBeGreaterThan(TRIES)
  expect(outcomes['done']).toBeGreaterThan(0)
  expect(Object.keys(outcomes).length, 'some attempts met the link').toBeGreaterThan(1)
}

describe('while another user exchanges directories in a loop, nothing foreign is touched by', () => {
  const attempts = {
    'mount and unmount of a directory': `
      await set.mount(ns).catch(() => undefined)
      await NamespaceSet.unmount(ns)`,
    'mount and unmount of files, and the undoing of a mount that fails': `
      const third = index % 2 === 0 ? ns + '/uts' : '/etc'
      await set.mount({ ipc: ns + '/ipc', net: ns + '/net', uts: third }).catch(() => undefined)
      const done = await Promise.allSettled(['ipc', 'net', 'uts'].map((kind) => NamespaceSet.unmount(ns + '/' + kind)))
      for (const one of done) if (one.status === 'rejected') throw one.reason`,
    'names that are given, removed, and go with their set': `
      const options = { directory: ns, force: true }
      // Names of the victim's directory, and what an attempt before has left.
      for (const name of ['uts', 'ipc', 'net']) await netns.remove(name, options).catch(() => undefined)
      const dup = set.dup('net')
      try {
        await netns.attach('net', dup, { directory: ns, temporary: index % 2 === 0 })
        if (index % 2 === 1) await netns.remove('net', options)
      } finally {
        dup.close()
      }`,
  }
  for (const [name, attempt] of Object.entries(attempts)) {
    asRoot(
      name,
      REASON,
      async () => {
        using place = scene()
        expectUntouched(await race(place, attempt))
      },
      120_000,
    )
  }
})

describe('exchanged exactly between the check and the deed, nothing foreign is touched by', () => {
  const operations = {
    'unmount of a directory': 'set.mountSync(ns); await exchange(); NamespaceSet.unmountSync(ns)',
    'unmount of a file': `
      set.mountSync({ net: ns + '/net' }); await exchange(); NamespaceSet.unmountSync(ns + '/net')`,
    'a mount that fails and is undone': `
      await exchange(); set.mountSync({ ipc: ns + '/ipc', net: ns + '/net', uts: '/etc' })`,
    'netns.remove': `
      await netns.attach('net', set, { directory: ns }); await exchange(); await netns.remove('net', { directory: ns })`,
    'the close of a set with a temporary name': `
      await netns.attach('net', set, { directory: ns, temporary: true }); await exchange(); set.close()`,
  }
  for (const [name, operation] of Object.entries(operations)) {
    asRoot(
      name,
      REASON,
      async () => {
        using place = scene()
        const { theirs } = place
        const swap = `echo ready; sleep 0.5; mv ${theirs}/ns ${theirs}/moved && mv ${theirs}/link ${theirs}/ns`
        // strace holds these calls up for longer than the other user takes.
        const calls = 'umount2,unlinkat,unlink'
        const strace = ['strace', '-f', '--seccomp-bpf', '-qq', '-o', '/dev/null', '-e', `trace=${calls}`]
        const outcome = await askPlainNode<object>(
          `${prelude(place)}
           const ns = '${theirs}/ns'
           const set = NamespaceSet.unshareSync(['ipc', 'net', 'uts'])
           const args = ['--reuid=${OTHER_USER}', '--regid=${OTHER_USER}', '--clear-groups', 'sh', '-c', ${JSON.stringify(swap)}]
           let ended
           const exchange = async () => {
             const other = spawn('setpriv', args, { stdio: ['ignore', 'pipe', 'inherit'] })
             ended = new Promise((resolve) => other.once('exit', resolve))
             await new Promise((resolve) => other.stdout.once('data', resolve))
           }
           let error = null
           try { ${operation} } catch ({ code }) { error = code }
           await ended
           set.close()
           console.log(JSON.stringify({ foreign: foreign(), moved: readdirSync('${theirs}/moved'), error }))`,
          { prefix: [...PRIVATE_MOUNTS, ...strace, '-e', `inject=${calls}:delay_enter=1200000`] },
        )
        // What was the caller's own is gone from where it went.
        const error = name.includes('fails') ? 'EEXIST' : null
        expect(outcome).toEqual({ foreign: UNTOUCHED, moved: [], error })
      },
      isVm ? 240_000 : 60_000,
    )
  }
})

describe('symbolic links above a target', () => {
  asRoot('of another user are not followed to what is not theirs', REASON, () => {
    using place = scene()
    using set = NamespaceSet.unshareSync('net')
    const refused = (path: string) =>
      expect.objectContaining({ code: 'EACCES', path, message: expect.stringContaining(`uid ${OTHER_USER}`) })
    expect(() => NamespaceSet.unmountSync(`${place.theirs}/link/uts`)).toThrow(refused(`${place.theirs}/link/uts`))
    expect(() => set.mountSync(`${place.theirs}/link`)).toThrow(refused(`${place.theirs}/link`))
    expect(() => set.mountSync({ net: `${place.theirs}/link/new` })).toThrow(refused(`${place.theirs}/link/new`))
    expect(readdirSync(place.victim).sort()).toEqual(UNTOUCHED.files)
  })

  asRoot('of root outside are followed by the root of a user namespace, which sees no such user', REASON, async () => {
    using place = scene()
    const link = `${place.victim}/by-root`
    symlinkSync(`${place.theirs}/other`, link)
    const ordinary = ['setpriv', `--reuid=${OTHER_USER}`, `--regid=${OTHER_USER}`, '--clear-groups']
    const found = await askPlainNode<string[]>(
      `import { lstatSync, readdirSync } from 'node:fs'
       import { NamespaceSet } from 'nsset'
       const set = NamespaceSet.unshareSync('net')
       if (lstatSync('${link}').uid !== 65534) throw new Error('the link has an owner here')
       set.mountSync({ net: '${link}/net' })
       const during = readdirSync('${place.theirs}/other')
       NamespaceSet.unmountSync('${link}/net')
       set.close()
       console.log(JSON.stringify([during.join(), readdirSync('${place.theirs}/other').join()]))`,
      { prefix: [...ordinary, 'unshare', '--user', '--map-root-user', '--mount', '--'] },
    )
    expect(found).toEqual(['net', ''])
  })

  asRoot('of the caller are, and of the other user to what is theirs', REASON, () => {
    using place = scene()
    using set = NamespaceSet.unshareSync('net')
    symlinkSync(place.theirs, `${place.victim}/mine`)
    linkOfTheirs('other', `${place.theirs}/link`)
    const target = `${place.victim}/mine/link/net`
    set.mountSync({ net: target })
    expect(mountsBelow(`${place.theirs}/other`).map(({ root }) => root)).toEqual([set.id()])
    NamespaceSet.unmountSync(target)
    expect(readdirSync(`${place.theirs}/other`)).toEqual([])
  })
})
