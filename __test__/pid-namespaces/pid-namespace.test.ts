/** A new pid namespace: usable while its set is open, ended with all that runs inside when the last one is closed. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { release } from 'node:os'
import { type NamespaceChildProcess, NamespaceSet } from 'nsset'
import { describe, expect, test } from 'vitest'
import { growthSince } from '../setup/guards/growth.ts'
import { initsOf, readStat } from '../setup/guards/proc-stat.ts'
import { eventually, resources } from '../setup/guards/resources.ts'
import { askPlainNode } from '../setup/programs/plain-node.ts'
import { asRoot } from '../setup/sets/privilege.ts'

const PROC = [{ type: 'proc', target: '/proc' }]

function withProc(): Promise<NamespaceSet> {
  return NamespaceSet.unshare(['user', 'pid', 'mnt'], { mapUser: 'root', mounts: PROC })
}

async function shell(set: NamespaceSet, script: string): Promise<string> {
  return (await set.execFile('sh', ['-c', script])).stdout.trim()
}

/** The pid outside of the one PID 1 that has come since. */
function newInit(others: number[]): number {
  const [init = 0, ...more] = initsOf().filter((pid) => !others.includes(pid))
  expect(init).toBeGreaterThan(1)
  expect(more).toEqual([])
  return init
}

function end(child: NamespaceChildProcess): Promise<[number | null, string | null]> {
  return new Promise((resolve) => child.once('exit', (code, signal) => resolve([code, signal])))
}

describe('while a set is open', () => {
  test('its pid_max is its own, or may not be changed before Linux 6.14; that of the host stays', async () => {
    const PID_MAX = '/proc/sys/kernel/pid_max'
    using set = await withProc()
    const before = readFileSync(PID_MAX, 'utf8')
    const inside = await shell(set, `(echo 1000 > ${PID_MAX}) 2>/dev/null && cat ${PID_MAX} || echo refused`)
    expect(['1000', 'refused']).toContain(inside)
    expect(readFileSync(PID_MAX, 'utf8')).toBe(before)
    const [major = 0, minor = 0] = release().split('.').map(Number.parseFloat)
    expect(inside === '1000').toBe(major > 6 || (major === 6 && minor >= 14))
  })

  test('one program after another runs inside, each with a pid of its own', async () => {
    using set = await withProc()
    const pids: number[] = []
    for (let count = 0; count < 10; count += 1) pids.push(Number(await shell(set, 'echo $$')))
    expect(new Set(pids).size).toBe(10)
    expect(Math.min(...pids)).toBeGreaterThan(1)
    expect(Math.max(...pids)).toBeLessThan(100)
  })

  test('programs inside see each other', async () => {
    using set = await withProc()
    const child = set.spawn('sleep', ['60'], { stdio: 'ignore' })
    const ended = end(child)
    expect(await shell(set, 'cat /proc/[0-9]*/comm')).toMatch(/^nsset-init\nsleep\n/)
    await shell(set, 'grep -l sleep /proc/[0-9]*/comm | tr -dc 0-9 | xargs kill -TERM')
    expect(await ended).toEqual([null, 'SIGTERM'])
  })

  test('a dup keeps it usable after the first is closed', async () => {
    const set = await withProc()
    const dup = set.dup()
    set.close()
    expect(await shell(dup, 'cat /proc/1/comm')).toBe('nsset-init')
    using made = await dup.unshare('uts', { hostname: 'later' })
    dup.close()
    expect(await shell(made, 'cat /proc/1/comm; uname -n')).toBe('nsset-init\nlater')
  })

  test('a dup of the other kinds does not keep it', async () => {
    const others = initsOf()
    const set = await NamespaceSet.unshare(['user', 'pid', 'uts'], { mapUser: 'root', hostname: 'kept' })
    const init = newInit(others)
    using rest = set.dup(['user', 'uts'])
    set.close()
    expect(
      await eventually(
        () => readStat(init),
        (stat) => stat === undefined,
      ),
    ).toBeUndefined()
    expect(await shell(rest, 'uname -n')).toBe('kept')
  })

  asRoot('without a user namespace just as well', 'a pid namespace alone takes CAP_SYS_ADMIN', async () => {
    using set = NamespaceSet.unshareSync('pid')
    expect(Number(await shell(set, 'echo $$'))).toBeLessThan(10)
    expect(Number(await shell(set, 'echo $$'))).toBeLessThan(20)
  })

  test('orphans come to PID 1, which leaves no zombie of them', async () => {
    using set = await withProc()
    const orphan = Number(await shell(set, 'sleep 60 > /dev/null 2>&1 & echo $!'))
    const readOrphan = async () => (await shell(set, `cat /proc/${orphan}/stat`)).split(' ')
    let stat = await readOrphan()
    // It may be on its way to sleep still.
    for (let count = 0; count < 100 && stat[2] !== 'S'; count += 1) stat = await readOrphan()
    expect(stat.slice(1, 4)).toEqual(['(sleep)', 'S', '1'])
    await shell(set, `kill ${orphan}`)
    let left = ''
    for (let count = 0; count < 100; count += 1) {
      left = await shell(set, 'cat /proc/[0-9]*/stat')
      if (!left.includes('(sleep)')) break
    }
    expect(left).toMatch(/^1 \(nsset-init\)/)
    expect(left).not.toContain('(sleep)')
    expect(left).not.toContain(' Z ')
  })

  test('a hundred orphans that end at once leave no zombie', async () => {
    using set = await withProc()
    await shell(set, 'i=0; while [ $i -lt 100 ]; do (true & true) & i=$((i + 1)); done; wait')
    let left = ''
    for (let count = 0; count < 100; count += 1) {
      left = await shell(set, 'cat /proc/[0-9]*/stat')
      if (!left.includes('(sh) Z')) break
    }
    expect(left).not.toContain(' Z ')
  })
})

describe('when the last set is closed', () => {
  test('all that runs inside is killed', async () => {
    const set = await withProc()
    const dup = set.dup()
    const child = dup.spawn('sleep', ['60'], { stdio: 'ignore' })
    const ended = end(child)
    const otherEnded = end(set.spawn('sh', ['-c', 'trap "" TERM HUP INT; sleep 60 & wait'], { stdio: 'ignore' }))
    set.close()
    expect(readStat(child.pid ?? 0)?.comm).toBe('sleep')
    dup.close()
    expect(await ended).toEqual([null, 'SIGKILL'])
    expect(await otherEnded).toEqual([null, 'SIGKILL'])
  })

  test('no zombie, no child and no descriptor is left', async () => {
    const round = async (): Promise<void> => {
      const set = await withProc()
      await shell(set, 'sleep 60 > /dev/null 2>&1 &')
      const ended = end(set.spawn('sleep', ['60'], { stdio: 'ignore' }))
      set.close()
      await ended
    }
    await round()
    const before = await eventually(resources, (now) => now.children === 0)
    expect(before.children).toBe(0)
    for (let count = 0; count < 10; count += 1) await round()
    expect(await growthSince(before)).toEqual({})
  })

  test('close() does not wait, even if the namespace cannot end yet', async () => {
    // The program inside is nsenter's child, and nsenter is stopped and does not reap it, so PID 1 stays
    // (pid_namespaces(7)).
    const outcome = await askPlainNode<{ during: boolean; after: boolean }>(`
      import { spawn } from 'node:child_process'
      import { once } from 'node:events'
      import { readdirSync, readFileSync } from 'node:fs'
      import { setTimeout as pass } from 'node:timers/promises'
      import { NamespaceSet } from 'nsset'
      const nameOf = (pid) => {
        try { return readFileSync('/proc/' + pid + '/comm', 'utf8').trim() }
        catch { return '' } // it has been reaped meanwhile
      }
      const inits = () => readdirSync('/proc/self/task')
        .flatMap((tid) => readFileSync('/proc/self/task/' + tid + '/children', 'utf8').split(' ').filter(Boolean))
        .filter((pid) => nameOf(pid) === 'nsset-init')
      const eventually = async (holds) => {
        for (let count = 0; count < 1000 && !holds(); count += 1) await pass(5)
        return holds()
      }
      const set = await NamespaceSet.unshare(['user', 'pid'], { mapUser: 'root' })
      const flags = ['--user=' + set.path('user'), '--pid=' + set.path('pid'), '--preserve-credentials']
      const stdio = ['ignore', 'pipe', 'inherit']
      const child = spawn('nsenter', [...flags, 'sh', '-c', 'echo inside; exec sleep 60'], { stdio })
      await once(child.stdout, 'data')
      child.kill('SIGSTOP')
      await eventually(() => readFileSync('/proc/' + child.pid + '/stat', 'latin1').includes(' T '))
      set.close()
      // It is killed by now, and waits in the kernel: a blocking close would wait with it.
      const during = inits().length === 1
      await pass(200)
      const still = inits().length === 1
      child.kill('SIGCONT')
      const after = await eventually(() => inits().length === 0)
      console.log(JSON.stringify({ during: during && still, after }))
      process.exit()`)
    expect(outcome).toEqual({ during: true, after: true })
  })

  test('a descriptor of it is of no use any more', async () => {
    const others = initsOf()
    const set = await NamespaceSet.unshare(['user', 'pid'], { mapUser: 'root' })
    using fds = set.fds()
    const init = newInit(others)
    set.close()
    expect(
      await eventually(
        () => readStat(init),
        (stat) => stat === undefined,
      ),
    ).toBeUndefined()
    const flags = [
      `--user=/proc/${process.pid}/fd/${fds.get('user')}`,
      `--pid=/proc/${process.pid}/fd/${fds.get('pid')}`,
    ]
    const enter = (...kinds: string[]) =>
      spawnSync('nsenter', [...kinds, '--preserve-credentials', 'true'], { encoding: 'utf8', timeout: 10_000 })
    expect(enter(flags[0] ?? '').status).toBe(0)
    expect(enter(...flags)).toMatchObject({ status: 1, stderr: expect.stringContaining('Cannot allocate memory') })
  })
})
