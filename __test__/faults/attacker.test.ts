/**
 * Law 5: the inside cannot reach the outside. A process inside a set, root there, watches for each new process and attacks
 * it while Node.js spawns and unshares thousands of times: it reads nothing of the helper or of Node.js,
 * and blocks nothing.
 */
import { setTimeout } from 'node:timers/promises'
import {
  type NamespaceChildProcess,
  type NamespaceKind,
  NamespaceSet,
  type SpawnOptions,
  type UnshareSyncOptions,
} from 'nsset'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CProgram } from '../setup/c-programs/c-program.ts'
import { compileIntruder, type IntruderReport, startIntruder } from '../setup/c-programs/intruder.ts'
import { ALL_KINDS } from '../setup/guards/thread-place.ts'
import { ownRange } from '../setup/oracles/subordinate-ids.ts'
import { asRoot, isRoot } from '../setup/sets/privilege.ts'

const SPAWNS = 500
const UNSHARES = 100

/** Everything that the intruder tries; each must succeed on a program of the set's user, or a failure would prove nothing. */
const TECHNIQUES = [
  ...['process_vm_readv', 'process_vm_writev', 'mem', 'environ', 'maps', 'fd', 'fd link', 'pidfd_getfd'],
  ...['ns', 'root', 'exe', 'PTRACE_SEIZE'],
]

let program: CProgram | undefined
beforeAll(() => {
  program = compileIntruder()
})
afterAll(() => program?.[Symbol.dispose]())

interface Siege {
  report: IntruderReport
  /** Calls that failed. */
  errors: unknown[]
  exits: number
}

/** Starts the intruder in a set, runs the body, and returns the intruder's report. */
async function besiege(
  intruder: CProgram,
  set: NamespaceSet,
  every: number | 'all, again and again',
  work: (intruder: CProgram) => Promise<Omit<Siege, 'report'>>,
): Promise<Siege> {
  // A process of a pid namespace cannot see Node.js; with its own /proc it sees what joins it.
  const attack = await startIntruder(intruder, set, { ownProc: set.has('pid'), every })
  const prey = set.spawn(intruder.path, ['prey'], { stdio: 'ignore', env: { SOME: 'environment' } })
  await attack.taken
  const preyEnded = new Promise((resolve) => prey.once('exit', resolve))
  prey.kill('SIGKILL')
  await preyEnded
  const outcome = await work(intruder)
  return { ...outcome, report: await attack.report() }
}

async function spawnTarget(set: NamespaceSet, intruder: CProgram, outcome: Omit<Siege, 'report'>) {
  await endTarget(set.spawn(intruder.path, ['target'], { stdio: 'ignore', env: {} }), outcome)
}

async function endTarget(child: NamespaceChildProcess, outcome: Omit<Siege, 'report'>) {
  const ended = new Promise<void>((resolve) => {
    child.once('error', (error) => resolve(void outcome.errors.push(error)))
    child.once('exit', () => resolve(void outcome.exits++))
  })
  // From here it is a program of the user's, which the intruder may stop for as long as it likes.
  child.kill('SIGKILL')
  await ended
}

const KINDS_BELOW: NamespaceKind[][] = [['uts', 'ipc'], ['pid'], ['net', 'mnt'], ['cgroup', 'time']]

async function unshareFrom(set: NamespaceSet, turn: number, kinds = KINDS_BELOW[turn % KINDS_BELOW.length] ?? []) {
  const made = turn % 2 === 0 ? set.unshareSync(kinds) : await set.unshare(kinds)
  made.close()
}

async function spawnAndUnshare(set: NamespaceSet, intruder: CProgram): Promise<Omit<Siege, 'report'>> {
  const outcome = { errors: [] as unknown[], exits: 0 }
  for (let turn = 0; turn < SPAWNS; turn++) {
    await spawnTarget(set, intruder, outcome)
    if (turn % Math.round(SPAWNS / UNSHARES) !== 0) continue
    await unshareFrom(set, turn).catch((error) => outcome.errors.push(error))
  }
  return outcome
}

function expectNothingGot(report: IntruderReport): void {
  expect(report.breaches).toEqual([])
  expect(report.hung).toBe(0)
  // It ran, it saw the helpers, it attacked, and its attacks work.
  expect(report.fair).toEqual(expect.arrayContaining(TECHNIQUES))
  expect(report.helpers).toBeGreaterThan(SPAWNS / 10)
  expect(report.stopped).toBeGreaterThan(5)
  expect(report.elders).toBeGreaterThan(0)
}

const SETS: NamespaceKind[][] = [['user'], ['user', 'net'], ['user', 'pid', 'mnt'], [...ALL_KINDS]]
const nameOf = (kinds: NamespaceKind[]) => (kinds.length === 8 ? 'all kinds' : kinds.join(', '))

const optionsFor = (kinds: NamespaceKind[]): UnshareSyncOptions => ({
  mapUser: 'root',
  ...(kinds.includes('mnt') ? { mounts: [{ type: 'proc', target: '/proc' }] } : {}),
})

describe(`${SPAWNS} spawns and ${UNSHARES} unshares leak nothing and do not hang in`, () => {
  for (const kinds of SETS) {
    test(`a set of ${nameOf(kinds)}`, async (context) => {
      if (program === undefined) return context.skip('needs a C compiler, cc')
      using set = NamespaceSet.unshareSync(kinds, optionsFor(kinds))
      const siege = await besiege(program, set, 5, (intruder) => spawnAndUnshare(set, intruder))
      expectNothingGot(siege.report)
      expect(siege.errors).toEqual([])
      expect(siege.exits).toBe(SPAWNS)
    }, 60_000)
  }

  asRoot(
    'a set of all kinds with ids mapped to other ids outside',
    'an ordinary user maps them with newuidmap',
    async (context) => {
      if (program === undefined) return context.skip('needs a C compiler, cc')
      const maps = [{ containerId: 0, hostId: 100_000, size: 65_536 }]
      using set = NamespaceSet.unshareSync([...ALL_KINDS], {
        ...optionsFor(['mnt']),
        mapUser: undefined,
        uidMaps: maps,
        gidMaps: maps,
      })
      const siege = await besiege(program, set, 5, (intruder) => spawnAndUnshare(set, intruder))
      expectNothingGot(siege.report)
      expect(siege.errors).toEqual([])
      expect(siege.exits).toBe(SPAWNS)
    },
    60_000,
  )
})

test('a user namespace created below the set has its maps written by a process among hostile ones', async (context) => {
  if (program === undefined) return context.skip('needs a C compiler, cc')
  using set = NamespaceSet.unshareSync('user', { mapUser: 'root' })
  const siege = await besiege(program, set, 1, async () => {
    const errors: unknown[] = []
    for (let turn = 0; turn < UNSHARES; turn++) {
      try {
        set.unshareSync(['user', 'uts'], { mapUser: 'root' }).close()
      } catch (error) {
        errors.push(error)
      }
    }
    return { errors, exits: 0 }
  })
  expect(siege.report.breaches).toEqual([])
  expect(siege.report.hung).toBe(0)
  expect(siege.errors).toEqual([])
  expect(siege.report.stopped).toBeGreaterThan(0)
}, 60_000)

describe('every way to start a program is as safe:', () => {
  const start =
    (options: SpawnOptions): ((set: NamespaceSet, path: string) => NamespaceChildProcess) =>
    (set, path) =>
      set.spawn(path, ['target'], { env: {}, ...options })
  type Begin = (set: NamespaceSet, path: string) => NamespaceChildProcess | Promise<unknown>
  const FORMS: Record<string, Begin> = {
    pipes: start({ stdio: 'pipe' }),
    'many descriptors': start({ stdio: [...Array(10).fill('pipe'), 0, 1, 2, 'inherit'] }),
    detached: start({ stdio: 'ignore', detached: true }),
    'uid and gid': start({ stdio: 'ignore', uid: 1000, gid: 1000 }),
    groups: start({ stdio: 'ignore', groups: [1, 2, 3] }),
    keepCapabilities: start({ stdio: 'ignore', uid: 1000, gid: 1000, keepCapabilities: true }),
    noNewPrivileges: start({ stdio: 'ignore', noNewPrivileges: true }),
    capabilities: start({ stdio: 'ignore', capabilities: ['CAP_CHOWN'] }),
    landlock: start({ stdio: 'ignore', landlock: { read: ['/'], bestEffort: true } }),
    seccomp: start({ stdio: 'ignore', seccomp: { default: 'allow', deny: ['bpf'] } }),
    limits: start({ stdio: 'ignore', limits: { openFiles: 100 }, umask: 0o77, nice: 1 }),
    deathSignal: start({ stdio: 'ignore', uid: 1000, deathSignal: 'SIGKILL' }),
    cwd: start({ stdio: 'ignore', cwd: '/tmp', argv0: 'intruder' }),
    // The intruder may stop the user's own programs for as long as it likes.
    execFile: (set, path) =>
      set.execFile(path, ['target'], { env: {}, timeout: 30, killSignal: 'SIGKILL', reject: false }),
    fork: (set, path) =>
      set.fork('target', [], { env: {}, execPath: path, execArgv: [], stdio: ['ignore', 'ignore', 'ignore', 'ipc'] }),
  }
  const TURNS = 150

  async function startAll(set: NamespaceSet, { path }: CProgram, begin: Begin): Promise<Omit<Siege, 'report'>> {
    const outcome = { errors: [] as unknown[], exits: 0 }
    for (let turn = 0; turn < TURNS; turn++) {
      const begun = begin(set, path)
      if (!(begun instanceof Promise)) await endTarget(begun, outcome)
      else
        await begun.then(
          () => outcome.exits++,
          (error) => outcome.errors.push(error),
        )
    }
    return outcome
  }

  /** Root of the set has an otherwise unused id outside, and 65535 other ids are mapped beside it. */
  function withManyIds(kinds: NamespaceKind[]): NamespaceSet {
    const maps = (file: '/etc/subuid' | '/etc/subgid') => {
      return [{ containerId: 0, hostId: isRoot ? 100_000 : ownRange(file).start, size: 65_536 }]
    }
    const ids = { mapUser: undefined, uidMaps: maps('/etc/subuid'), gidMaps: maps('/etc/subgid') }
    return NamespaceSet.unshareSync(kinds, { ...optionsFor(kinds), ...ids })
  }

  for (const [form, begin] of Object.entries(FORMS)) {
    for (const kinds of [SETS[0], SETS[3]] as NamespaceKind[][]) {
      test(`${form}, in a set of ${nameOf(kinds)}`, async (context) => {
        if (program === undefined) return context.skip('needs a C compiler, cc')
        using set = withManyIds(kinds)
        // On a busy machine the intruder sees few helpers in one siege.
        let helpers = 0
        for (let sieges = 0; helpers <= TURNS / 10 && sieges < 4; sieges++) {
          const { report, errors, exits } = await besiege(program, set, 3, (intruder) => startAll(set, intruder, begin))
          expect(report.breaches).toEqual([])
          expect(report.hung).toBe(0)
          expect(report.fair).toEqual(expect.arrayContaining(TECHNIQUES))
          expect(errors).toEqual([])
          expect(exits).toBe(TURNS)
          helpers += report.helpers
        }
        expect(helpers).toBeGreaterThan(TURNS / 10)
      }, 60_000)
    }
  }
})

describe('a spawn that is stopped repeatedly still ends, in a running child or in an error, in', () => {
  for (const kinds of SETS) {
    test(`a set of ${nameOf(kinds)}`, async (context) => {
      if (program === undefined) return context.skip('needs a C compiler, cc')
      using set = NamespaceSet.unshareSync(kinds, optionsFor(kinds))
      const siege = await besiege(program, set, 'all, again and again', async (intruder) => {
        const outcome = { errors: [] as unknown[], exits: 0 }
        for (let turn = 0; turn < 40; turn++) {
          await spawnTarget(set, intruder, outcome)
          // Gives the intruder time on a busy machine.
          await setTimeout(5)
        }
        return outcome
      })
      expect(siege.report.breaches).toEqual([])
      expect(siege.report.hung).toBe(0)
      expect(siege.errors.length + siege.exits).toBe(40)
      for (const error of siege.errors) expect(error).toMatchObject({ code: 'ETIMEDOUT' })
      expect(siege.report.stopped).toBeGreaterThan(5)
    }, 60_000)
  }
})
