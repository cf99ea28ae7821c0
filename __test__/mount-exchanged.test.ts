/**
 * Another user exchanges the directories above a target while root mounts, unmounts and names namespaces there: only what
 * root's own calls made is unmounted or removed. `NSSET_TRIES` sets how many attempts are made; 2,000 if it is not set.
 */
import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { NamespaceSet, netns } from 'nsset'
import { describe, expect } from 'vitest'
import { compileExchanger, startExchanger } from './setup/exchanger.ts'
import { mountsBelow } from './setup/mounts.ts'
import { askPlainNode } from './setup/plain-node.ts'
import { asRoot } from './setup/privilege.ts'
import { temporaryDirectory } from './setup/temporary-directory.ts'

const REASON = 'only root could be made to unmount what is others’'
const TRIES = Number(process.env['NSSET_TRIES'] ?? 2_000)
const OTHER_USER = 1234

/** What is foreign: a directory with a tmpfs, a namespace, and a file as `mount` makes it, all by the names of kinds. */
interface Scene extends Disposable {
  readonly victim: string
  /** Belongs to the other user, and has a directory `ns` in it. */
  readonly theirs: string
  /** What is mounted and what there is in the victim's directory. */
  foreign(): { mounts: string[]; files: string[] }
}

function scene(): Scene {
  const directory = temporaryDirectory()
  chmodSync(directory.path, 0o755)
  const [victim, theirs] = [directory.file('victim'), directory.file('theirs')]
  mkdirSync(`${victim}/net`, { recursive: true })
  execFileSync('mount', ['-t', 'tmpfs', 'victim', `${victim}/net`], { timeout: 10_000 })
  writeFileSync(`${victim}/ipc`, '', { mode: 0 })
  using uts = NamespaceSet.unshareSync('uts')
  uts.mountSync({ uts: `${victim}/uts` })
  for (const path of [theirs, `${theirs}/ns`, `${theirs}/other`]) {
    mkdirSync(path)
    chownSync(path, OTHER_USER, OTHER_USER)
  }
  symlinkSync(victim, `${theirs}/link`)
  execFileSync('chown', ['-h', `${OTHER_USER}:${OTHER_USER}`, `${theirs}/link`], { timeout: 10_000 })
  return {
    victim,
    theirs,
    foreign: () => ({
      mounts: mountsBelow(victim).map(({ target, type }) => `${type} ${target.slice(victim.length + 1)}`),
      files: readdirSync(victim).sort(),
    }),
    [Symbol.dispose]() {
      for (const { target } of mountsBelow(directory.path).reverse()) {
        execFileSync('umount', ['-l', target], { timeout: 10_000 })
      }
      directory[Symbol.dispose]()
    },
  }
}

const UNTOUCHED = { mounts: ['tmpfs net', 'nsfs uts'], files: ['ipc', 'net', 'uts'] }

/** Makes attempts while the other user exchanges; gives how many succeeded, and what each failure said. */
async function attempts(theirs: string, attempt: (index: number) => Promise<void>): Promise<Map<string, number>> {
  using program = compileExchanger()
  if (program === undefined) throw new Error('there is no C compiler')
  const exchanger = await startExchanger(program, OTHER_USER, theirs, ['ns', 'link', 'other'])
  const outcomes = new Map<string, number>()
  const count = (outcome: string) => outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
  try {
    for (let index = 0; index < TRIES; index += 1) {
      await attempt(index).then(
        () => count('done'),
        (error) => count(error.code),
      )
    }
  } finally {
    count('exchanges')
    outcomes.set('exchanges', await exchanger.stop())
  }
  if (process.env['NSSET_TRIES'] !== undefined) console.log(Object.fromEntries(outcomes))
  return outcomes
}

/** It was a race: both got their way, over and over. */
function expectRace(outcomes: Map<string, number>): void {
  expect(outcomes.get('exchanges')).toBeGreaterThan(TRIES)
  expect(outcomes.get('done')).toBeGreaterThan(0)
  expect(outcomes.size, 'some attempts met the link').toBeGreaterThan(2)
}

describe('while another user exchanges directories in a loop, nothing foreign is touched by', () => {
  asRoot(
    'mount and unmount of a directory',
    REASON,
    async () => {
      using place = scene()
      using set = await NamespaceSet.unshare(['ipc', 'net', 'uts'])
      const outcomes = await attempts(place.theirs, async () => {
        await set
          .mount(`${place.theirs}/ns`)
          .catch(({ code }) => expect(['EACCES', 'EEXIST', 'EINVAL', 'ENOTDIR']).toContain(code))
        await NamespaceSet.unmount(`${place.theirs}/ns`)
      })
      expect(place.foreign()).toEqual(UNTOUCHED)
      expectRace(outcomes)
    },
    600_000,
  )

  asRoot(
    'mount and unmount of files, and the undoing of a mount that fails',
    REASON,
    async () => {
      using place = scene()
      using set = await NamespaceSet.unshare(['ipc', 'net', 'uts'])
      const file = (kind: string) => `${place.theirs}/ns/${kind}`
      const outcomes = await attempts(place.theirs, async (index) => {
        const third = index % 2 === 0 ? file('uts') : '/etc'
        await set.mount({ ipc: file('ipc'), net: file('net'), uts: third }).catch(() => undefined)
        const done = await Promise.allSettled(['ipc', 'net', 'uts'].map((kind) => NamespaceSet.unmount(file(kind))))
        for (const one of done) if (one.status === 'rejected') throw one.reason
      })
      expect(place.foreign()).toEqual(UNTOUCHED)
      expectRace(outcomes)
    },
    600_000,
  )

  asRoot(
    'names that are given, removed, and go with their set',
    REASON,
    async () => {
      using place = scene()
      const directory = `${place.theirs}/ns`
      using network = await NamespaceSet.unshare('net')
      const remove = (name: string) => netns.remove(name, { directory, force: true })
      const outcomes = await attempts(place.theirs, async (index) => {
        // Names of the victim's directory, and what an attempt before has left.
        for (const name of ['uts', 'ipc', 'net']) await remove(name).catch(() => undefined)
        using set = network.dup()
        await netns.attach('net', set, { directory, temporary: index % 2 === 0 })
        if (index % 2 === 1) await remove('net')
      })
      expect(place.foreign()).toEqual(UNTOUCHED)
      expectRace(outcomes)
    },
    600_000,
  )
})

describe('exchanged exactly between the check and the deed, nothing foreign is touched by', () => {
  const operations: Record<string, (ns: string) => string> = {
    'unmount of a directory': (ns) => `
      set.mountSync('${ns}'); await exchange(); NamespaceSet.unmountSync('${ns}')`,
    'unmount of a file': (ns) => `
      set.mountSync({ net: '${ns}/net' }); await exchange(); NamespaceSet.unmountSync('${ns}/net')`,
    'a mount that fails and is undone': (ns) => `
      await exchange(); set.mountSync({ ipc: '${ns}/ipc', net: '${ns}/net', uts: '/etc' })`,
    'netns.remove': (ns) => `
      await netns.attach('net', set, { directory: '${ns}' }); await exchange(); await netns.remove('net', { directory: '${ns}' })`,
    'the close of a set with a temporary name': (ns) => `
      await netns.attach('net', set, { directory: '${ns}', temporary: true }); await exchange(); set.close()`,
  }
  for (const [name, operation] of Object.entries(operations)) {
    asRoot(
      name,
      REASON,
      async () => {
        using place = scene()
        const { theirs, victim } = place
        const swap = `echo ready; sleep 0.5; mv ${theirs}/ns ${theirs}/moved && mv ${theirs}/link ${theirs}/ns`
        // strace holds both calls up for longer than the other user takes.
        const held = ['strace', '-f', '-qq', '-o', '/dev/null', '-e', 'trace=umount2,unlinkat,unlink']
        const delay = ['-e', 'inject=umount2,unlinkat,unlink:delay_enter=1200000']
        const left = await askPlainNode<{ moved: string[]; error: string | null }>(
          `import { spawn } from 'node:child_process'
         import { readdirSync } from 'node:fs'
         import { NamespaceSet, netns } from 'nsset'
         const set = NamespaceSet.unshareSync(['ipc', 'net', 'uts'])
         const args = ['--reuid=${OTHER_USER}', '--regid=${OTHER_USER}', '--clear-groups', 'sh', '-c', ${JSON.stringify(swap)}]
         let ended
         const exchange = async () => {
           const other = spawn('setpriv', args, { stdio: ['ignore', 'pipe', 'inherit'] })
           ended = new Promise((resolve) => other.once('exit', resolve))
           await new Promise((resolve) => other.stdout.once('data', resolve))
         }
         let error = null
         try { ${operation(`${theirs}/ns`)} } catch ({ code }) { error = code }
         await ended
         set.close()
         console.log(JSON.stringify({ moved: readdirSync('${theirs}/moved'), error }))`,
          { prefix: [...held, ...delay] },
        )
        expect(place.foreign()).toEqual(UNTOUCHED)
        expect(readFileSync('/proc/self/mountinfo', 'utf8')).toContain(` ${victim}/net `)
        // What was the caller's own is gone from where it went.
        expect(left).toEqual({ moved: [], error: name.includes('fails') ? 'EEXIST' : null })
      },
      60_000,
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
    expect(place.foreign()).toEqual(UNTOUCHED)
  })

  asRoot('of root outside are followed by the root of a user namespace, which sees no such user', REASON, async () => {
    using place = scene()
    symlinkSync(`${place.theirs}/other`, `${place.victim}/net/by-root`)
    const link = `${place.victim}/net/by-root`
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
      {
        prefix: ['setpriv', `--reuid=${OTHER_USER}`, `--regid=${OTHER_USER}`, '--clear-groups'].concat([
          'unshare',
          '--user',
          '--map-root-user',
          '--mount',
          '--',
        ]),
      },
    )
    expect(found).toEqual(['net', ''])
  })

  asRoot('of the caller are, and of the other user to what is theirs', REASON, () => {
    using place = scene()
    using set = NamespaceSet.unshareSync('net')
    symlinkSync(place.theirs, `${place.victim}/net/mine`)
    execFileSync('ln', ['-sfn', 'other', `${place.theirs}/link`], { timeout: 10_000 })
    execFileSync('chown', ['-h', `${OTHER_USER}:${OTHER_USER}`, `${place.theirs}/link`], { timeout: 10_000 })
    const target = `${place.victim}/net/mine/link/net`
    set.mountSync({ net: target })
    expect(mountsBelow(`${place.theirs}/other`).map(({ root }) => root)).toEqual([set.id()])
    NamespaceSet.unmountSync(target)
    expect(readdirSync(`${place.theirs}/other`)).toEqual([])
  })
})
