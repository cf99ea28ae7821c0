/** When Node.js is killed, at any moment, no process of nsset and no process in its pid namespaces is left. */
import { expect, test } from 'vitest'
import { membersOfSession, type ProcStat, readStat } from '../setup/guards/proc-stat.ts'
import { eventually } from '../setup/guards/resources.ts'
import { doomedNode } from '../setup/programs/doomed-node.ts'

/** What may still run of the session after a while: PID 1 belongs to it, and exits after all others inside. */
function left(session: number): Promise<ProcStat[]> {
  const running = (): ProcStat[] => membersOfSession(session).filter((member) => !member.isEnding)
  return eventually(running, (members) => members.length === 0)
}

/** PID 1 exits only after the host's init has reaped the orphans inside, and some inits are slow. */
function everGone(sessions: number[]): Promise<ProcStat[]> {
  return eventually(
    () => sessions.flatMap(membersOfSession),
    (members) => members.length === 0,
    20_000,
  )
}

test('pid namespaces end with all processes in them', async () => {
  await using node = doomedNode(`
    import { NamespaceSet } from 'nsset'
    const sets = []
    const pids = []
    for (const kinds of [['user', 'pid'], ['user', 'pid', 'mnt'], ['user', 'pid', 'net', 'time']]) {
      const set = await NamespaceSet.unshare(kinds, { mapUser: 'root' })
      sets.push(set, set.dup(), await set.unshare('pid'))
      for (const each of sets.slice(-3)) pids.push(each.spawn('sleep', ['60'], { stdio: 'ignore' }).pid)
      // One that is orphaned, and one that ignores signals.
      await set.execFile('sh', ['-c', 'sleep 60 > /dev/null 2>&1 &'])
      pids.push(set.spawn('sh', ['-c', 'trap "" HUP TERM INT; while true; do sleep 60; done'], { stdio: 'ignore' }).pid)
    }
    console.log(JSON.stringify(pids))
    await new Promise(() => setInterval(() => {}, 1000))`)
  const pids = JSON.parse(await node.line()) as number[]
  expect(pids).toHaveLength(12)
  for (const pid of pids) expect(readStat(pid)?.session).toBe(pid)
  const comms = membersOfSession(node.pid).map((stat) => stat.comm)
  expect(comms.filter((comm) => comm === 'nsset-init')).toHaveLength(6)
  await node.kill()
  expect(await left(node.pid)).toEqual([])
  expect(await everGone([node.pid])).toEqual([])
  expect(pids.filter((pid) => readStat(pid) !== undefined)).toEqual([])
})

test('the exit of a Node.js process that does not close its sets is enough, too', async () => {
  await using node = doomedNode(`
    import { NamespaceSet } from 'nsset'
    globalThis.set = await NamespaceSet.unshare(['user', 'pid'], { mapUser: 'root' })
    globalThis.set.spawn('sleep', ['60'], { stdio: 'ignore' }).unref()
    console.log('ready')
    setTimeout(() => process.exit(), 50)`)
  expect(await node.line()).toBe('ready')
  expect(await left(node.pid)).toEqual([])
})

test('a PID 1 that was stopped before ends too: the kernel continues what is stopped in an orphaned process group', async () => {
  await using node = doomedNode(`
    import { NamespaceSet } from 'nsset'
    globalThis.set = await NamespaceSet.unshare(['user', 'pid'], { mapUser: 'root' })
    globalThis.set.spawn('sleep', ['60'], { stdio: 'ignore' }).unref()
    console.log('ready')
    await new Promise(() => setInterval(() => {}, 1000))`)
  expect(await node.line()).toBe('ready')
  const init = membersOfSession(node.pid).find(({ comm }) => comm === 'nsset-init')?.pid ?? 0
  process.kill(init, 'SIGSTOP')
  const stopped = await eventually(
    () => readStat(init)?.state,
    (state) => state === 'T',
  )
  expect(stopped).toBe('T')
  await node.kill()
  expect(await left(node.pid)).toEqual([])
})

/** Creates sets of all kinds and runs programs in them, several at a time, until it is killed. */
const BUSY = `
  import { NamespaceSet } from 'nsset'
  const others = ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'time', 'uts']
  const some = () => ['user', ...others.filter(() => Math.random() < 0.5)]
  const options = (kinds) => {
    const given = { mapUser: 'root' }
    if (kinds.includes('mnt') && kinds.includes('pid')) given.mounts = [{ type: 'proc', target: '/proc' }]
    if (kinds.includes('time')) given.timeOffsets = { boottime: 60 }
    return given
  }
  const work = async () => {
    for (;;) {
      const kinds = some()
      const make = Math.random() < 0.5 ? NamespaceSet.unshareSync : NamespaceSet.unshare
      const set = await make(kinds, options(kinds))
      const below = await set.unshare(['pid', 'uts'], { hostname: 'below' })
      below.spawn('sleep', ['60'], { stdio: 'ignore' })
      if (kinds.includes('pid')) set.spawn('sh', ['-c', 'sleep 60 & wait'], { stdio: 'ignore' })
      await below.execFile('true')
      below.close()
      set.close()
      console.log('round')
    }
  }
  await Promise.all(Array.from({ length: 3 }, work))`

test('when Node.js is killed at 20 moments during its work, nothing is left', async () => {
  const sessions: number[] = []
  const round = async (): Promise<void> => {
    await using node = doomedNode(BUSY)
    sessions.push(node.pid)
    expect(await node.line()).toBe('round')
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 120))
    await node.kill()
    expect(await left(node.pid)).toEqual([])
  }
  const rounds = async (count: number): Promise<void> => {
    for (let index = 0; index < count; index += 1) await round()
  }
  await Promise.all([rounds(10), rounds(10)])
  expect(await everGone(sessions)).toEqual([])
}, 60_000)
