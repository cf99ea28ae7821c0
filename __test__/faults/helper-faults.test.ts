/**
 * A process that works for nsset is killed, stopped or blocked at each of its system calls: the operation ends within two
 * seconds, in success or in an error with a code, and no process, no zombie and no descriptor is left.
 */
import { constants } from 'node:os'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { membersOfSession } from '../setup/guards/proc-stat.ts'
import { eventually } from '../setup/guards/resources.ts'
import { compileFaults, type Effect, type Fault, type FaultReport, faultyNode } from '../setup/oracles/faults.ts'
import { isRoot } from '../setup/sets/privilege.ts'

const { EAGAIN, EMFILE, ENOMEM, ENOSPC, ETOOMANYREFS = 109 } = constants.errno as Record<string, number>

/** Each operation calls its argument when the call has returned, if that is before its end. */
const OPERATIONS = `
  const pids = await NamespaceSet.unshare(['user', 'pid'], { mapUser: 'root' })
  const user = await NamespaceSet.unshare(['user', 'net', 'uts'], { mapUser: 'root' })
  const start = (set, options) => async (called) => {
    const child = set.spawn('true', [], { stdio: 'ignore', ...options })
    called()
    await new Promise((resolve, reject) => {
      child.on('error', reject).on('exit', (code, signal) => (signal ? reject({ code: signal }) : resolve()))
    })
  }
  const mounts = [{ type: 'tmpfs', target: '/tmp' }]
  return {
    "unshare('user', 'pid', 'mnt')": async () =>
      NamespaceSet.unshareSync(['user', 'pid', 'mnt'], { mapUser: 'root', mounts }).close(),
    "unshare('pid') below a pid namespace": async () => pids.unshareSync(['pid', 'uts']).close(),
    "unshare('user', 'pid') below a pid namespace": async () =>
      pids.unshareSync(['user', 'pid'], { mapUser: 'root' }).close(),
    'spawn in a pid namespace': start(pids),
    "spawn in a pid namespace, in Node's process group": start(pids, { detached: false }),
    'spawn in a user namespace': start(user),
  }`
const NAMES = [
  "unshare('user', 'pid', 'mnt')",
  "unshare('pid') below a pid namespace",
  "unshare('user', 'pid') below a pid namespace",
  'spawn in a pid namespace',
  "spawn in a pid namespace, in Node's process group",
  'spawn in a user namespace',
]

/** The most processes that one of these operations starts. */
const PROCESSES = 4

/** More calls than any of them makes. Beyond this a process resets the 64 signals of its program one by one. */
const CALLS = 120
const DIFFERENT_CALLS = 40

/** System calls of the listening thread, by their numbers on x86-64. */
const OWN_CALLS = {
  poll: 7,
  sendmsg: 46,
  recvmsg: 47,
  socketpair: 53,
  setsockopt: 54,
  clone: 56,
  setpgid: 109,
  pidfd_open: 434,
}

let faults: ReturnType<typeof compileFaults>
beforeAll(() => {
  faults = compileFaults()
})
afterAll(() => faults?.[Symbol.dispose]())

/** Milliseconds. */
const LIMIT = 2_000
/** A stop that is undone immediately, some twenty times, takes 30 to 40 on an idle machine. */
const LIMIT_FOR_STOPS = 500

function complain(report: FaultReport, limit: number): string | undefined {
  const known = new Set([...Object.keys(constants.errno), ...Object.keys(constants.signals), 'ok', 'ETOOMANYREFS'])
  if (!known.has(report.code)) return `no code: ${report.message}`
  if (report.took >= limit) return `took ${report.took} ms`
  if (report.left.children !== 0) return `${report.left.children} children left`
  if (report.left.descriptors !== 0) return `${report.left.descriptors} descriptors left`
  return undefined
}

interface Tally {
  hit: number
  codes: Set<string>
  complaints: string[]
}

interface TallyOptions {
  /** Milliseconds that each may take. */
  limit?: number
  /** The program that starts Node.js. */
  prefix?: readonly string[]
}

/** Breaks the call of each fault, one after another, and collects complaints. */
async function tally(name: string, plan: Iterable<Fault>, options: TallyOptions = {}): Promise<Tally> {
  const { limit = LIMIT, prefix } = options
  const outcome: Tally = { hit: 0, codes: new Set(), complaints: [] }
  await using node = await faultyNode((faults as { path: string }).path, OPERATIONS, prefix)
  const sets = membersOfSession(node.session).length
  const missed = new Set<number>()
  for (const fault of plan) {
    const kind = fault.call ?? fault.process
    if (missed.has(kind)) continue
    const report = await node.run(name, fault)
    if (report === undefined) {
      if (fault.call === undefined || fault.number === 1) missed.add(kind)
      continue
    }
    outcome.hit += 1
    outcome.codes.add(report.code)
    const complaint = complain(report, limit)
    if (complaint !== undefined) outcome.complaints.push(`${JSON.stringify(fault)}: ${complaint}`)
  }
  // Processes that are not children of Node.js, too.
  const left = await eventually(
    () => membersOfSession(node.session).length,
    (count) => count === sets,
  )
  if (left !== sets) outcome.complaints.push(`${left - sets} processes of the session left`)
  return outcome
}

function* everyCall(effect: Effect): Generator<Fault> {
  for (let process = 1; process <= PROCESSES; process++) {
    for (let number = 1; number <= CALLS; number += number < DIFFERENT_CALLS ? 1 : 7) yield { process, number, effect }
  }
}

function* everyOwnCall(): Generator<Fault> {
  for (const call of Object.values(OWN_CALLS)) {
    for (const effect of [EMFILE, ENOMEM] as number[]) {
      for (const number of [1, 2, 3]) yield { process: 0, call, number, effect }
    }
  }
}

const WITHOUT = 'needs a C compiler (cc) and x86-64, to break system calls of other processes'

for (const name of NAMES) {
  describe(`${name}: nothing is left, at whichever call a process`, () => {
    test('is killed', async (context) => {
      if (faults === undefined) return context.skip(WITHOUT)
      const { hit, codes, complaints } = await tally(name, everyCall('kill'))
      expect(complaints).toEqual([])
      expect(hit).toBeGreaterThan(20)
      expect([...codes].some((code) => code === 'ECHILD' || code === 'SIGKILL')).toBe(true)
    }, 60_000)

    test('is stopped, and continued', async (context) => {
      if (faults === undefined) return context.skip(WITHOUT)
      const { hit, codes, complaints } = await tally(name, everyCall('stop'))
      expect(complaints).toEqual([])
      expect(hit).toBeGreaterThan(20)
      expect([...codes]).toEqual(['ok'])
    }, 60_000)

    test('is stopped, and again whenever it continues', async (context) => {
      if (faults === undefined) return context.skip(WITHOUT)
      const hold = (process: number, numbers: number[]) =>
        numbers.map((number) => ({ process, number, effect: 'hold' as const }))
      const { codes, complaints } = await tally(name, hold(1, [2, 12]), { limit: LIMIT_FOR_STOPS })
      // The holder of a nested user namespace is not a child of Node.js, so its stops are not noticed.
      complaints.push(...(await tally(name, hold(2, [1]))).complaints)
      expect(complaints).toEqual([])
      expect([...codes]).toContain('ETIMEDOUT')
    }, 60_000)

    test('is kept in a ptrace stop', async (context) => {
      if (faults === undefined) return context.skip(WITHOUT)
      const { hit, codes, complaints } = await tally(name, [
        ...[2, 12].map((number) => ({ process: 1, number, effect: 'keep' as const })),
        ...[1, 3].map((number) => ({ process: 2, number, effect: 'keep' as const })),
      ])
      expect(complaints).toEqual([])
      expect(hit).toBeGreaterThanOrEqual(2)
      expect([...codes]).toContain('ETIMEDOUT')
    }, 60_000)

    test('gets an error', async (context) => {
      if (faults === undefined) return context.skip(WITHOUT)
      const errors = { EMFILE, ENOMEM, EAGAIN, ENOSPC, ETOOMANYREFS } as Record<string, number>
      const plan = [...everyCall(0)].map((fault) => {
        return { ...fault, effect: Object.values(errors)[fault.number % 5] as number }
      })
      const { codes, complaints } = await tally(name, plan)
      expect(complaints).toEqual([])
      expect([...codes]).toEqual(expect.arrayContaining(Object.keys(errors)))
    }, 60_000)

    test('gets an error in the listening thread', async (context) => {
      if (faults === undefined) return context.skip(WITHOUT)
      const { hit, complaints } = await tally(name, everyOwnCall())
      expect(complaints).toEqual([])
      expect(hit).toBeGreaterThan(8)
    }, 60_000)
  })
}

describe('in a Node.js process whose process group has no number in its pid namespace', () => {
  const user = isRoot ? [] : ['--user', '--map-root-user']
  const prefix = ['unshare', ...user, '--pid', '--fork', '--mount-proc', '--kill-child']
  for (const name of NAMES.filter((name) => name.startsWith('spawn in a pid namespace'))) {
    for (const effect of ['kill', 'stop'] as const) {
      test(`${name}: a process at whichever call, with the effect ${effect}`, async (context) => {
        if (faults === undefined) return context.skip(WITHOUT)
        const { hit, complaints } = await tally(name, everyCall(effect), { prefix })
        expect(complaints).toEqual([])
        expect(hit).toBeGreaterThan(20)
      }, 60_000)
    }

    test(`${name}: a child that stays stopped at its first call`, async (context) => {
      if (faults === undefined) return context.skip(WITHOUT)
      const plan = (['hold', 'keep'] as const).map((effect) => ({ process: 2, number: 1, effect }))
      const { hit, codes, complaints } = await tally(name, plan, { prefix })
      expect(complaints).toEqual([])
      expect(hit).toBe(2)
      expect([...codes]).not.toContain('ok')
    }, 60_000)
  }
})
