/**
 * A helper that was started in advance waits for the next call. What it does is not different from what a helper does that is
 * started at that moment: the program has the umask, the directory, the limits, the priority and the credentials of the call.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmdirSync, writeFileSync } from 'node:fs'
import { constants, getPriority, setPriority } from 'node:os'
import { setTimeout as pass } from 'node:timers/promises'
import { NamespaceSet } from 'nsset'
import { describe, expect, test } from 'vitest'
import { anIdleHelper, noIdleHelper } from '../setup/guards/idle-helpers.ts'
import { readStat } from '../setup/guards/proc-stat.ts'
import { eventually, idleHelpersOf } from '../setup/guards/resources.ts'
import { askPlainNode, runPlainNode } from '../setup/programs/plain-node.ts'
import { asRoot, isRoot } from '../setup/sets/privilege.ts'

const set = NamespaceSet.unshareSync(['user', 'uts'], { mapUser: 'root' })

/** The output of a program that a helper becomes which has waited. */
async function printed(file: string, ...args: string[]): Promise<string> {
  return (await set.execFile(file, args)).stdout.trim()
}

/** Runs the body after a change that a helper which waits has not taken part in, and undoes the change. */
async function changed<T>(change: () => () => void, body: () => Promise<T>): Promise<T> {
  await set.execFile('true')
  await anIdleHelper()
  const undo = change()
  try {
    return await body()
  } finally {
    undo()
  }
}

describe('the helper that waits', () => {
  test('is there after the first use, is the process of the next program, and is replaced', async () => {
    await set.execFile('true')
    await anIdleHelper()
    const waiting = idleHelpersOf()
    const child = set.spawn('sleep', ['60'], { stdio: 'ignore' })
    const exit = new Promise((resolve) => child.once('exit', resolve))
    expect(waiting).toContain(child.pid)
    expect(readStat(child.pid as number)?.comm).toBe('sleep')
    expect(await anIdleHelper()).not.toBe(child.pid)
    child.kill()
    await exit
  })

  test('has no descriptor but its socket, no signal that waits, and less than 100 KiB of memory', async () => {
    await set.execFile('true')
    const pid = await anIdleHelper()
    const descriptors = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`))
    expect(new Set(descriptors).size).toBe(1)
    expect(descriptors[0]).toMatch(/^socket:/)
    const memory = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1')
    const kib = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(memory)?.[1])
    expect(kib('Rss')).toBeGreaterThan(0)
    expect(kib('Rss')).toBeLessThanOrEqual(100)
  })

  test('shows in its vectors and its environment nothing of this process', async () => {
    await set.execFile('true', [], { env: { SECRET: 'of the program before' } })
    const pid = await anIdleHelper()
    expect(readFileSync(`/proc/${pid}/cmdline`, 'latin1')).toBe('nsset-helper\0')
    expect(readFileSync(`/proc/${pid}/environ`, 'latin1').replaceAll('\0', '')).toBe('')
  })

  test('ends after some seconds without a program, and is not a zombie', async () => {
    await set.execFile('true')
    const pid = await anIdleHelper()
    await noIdleHelper()
    expect(existsSync(`/proc/${pid}`)).toBe(false)
  })

  test('is of no loss if another process kills it', async () => {
    for (let turn = 0; turn < 10; turn++) {
      await set.execFile('true')
      process.kill(await anIdleHelper(), 'SIGKILL')
      if (turn % 2 === 0) await pass(5)
      expect(await printed('echo', 'done')).toBe('done')
    }
  })

  test('is continued if another process stops it', async () => {
    await set.execFile('true')
    process.kill(await anIdleHelper(), 'SIGSTOP')
    expect(await printed('echo', 'done')).toBe('done')
  })

  test('passes no signal on that the group of this process got before', async () => {
    await set.execFile('true')
    await anIdleHelper()
    const idle = idleHelpersOf()
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGTSTP'] as const) {
      for (const pid of idle) process.kill(pid, signal)
    }
    const child = set.spawn('echo', ['done'], { stdio: ['ignore', 'pipe', 'inherit'] })
    expect(idle).toContain(child.pid)
    expect(await new Promise((resolve) => child.once('exit', (...how) => resolve(how)))).toEqual([0, null])
  })

  test('grows in number when they are used up, and a few remain at most', async () => {
    for (let turn = 0; turn < 40; turn++) NamespaceSet.unshareSync('user', { mapUser: 'root' }).close()
    const waiting = await eventually(
      () => idleHelpersOf(),
      (pids) => pids.length > 1,
    )
    expect(waiting.length).toBeGreaterThan(1)
    expect(waiting.length).toBeLessThanOrEqual(8)
  })

  test('ends with Node.js, however that ends', async () => {
    for (const end of ['process.exit()', "process.kill(process.pid, 'SIGKILL')"]) {
      const program = `
        import { readdirSync, readFileSync, writeSync } from 'node:fs'
        import { setTimeout as pass } from 'node:timers/promises'
        import { NamespaceSet } from 'nsset'
        NamespaceSet.unshareSync('user').close()
        const children = () => readdirSync('/proc/self/task').flatMap((tid) =>
          readFileSync('/proc/self/task/' + tid + '/children', 'utf8').split(' ').filter(Boolean))
        while (children().length === 0) await pass(1)
        writeSync(1, JSON.stringify(children()))
        ${end}`
      const { stdout } = await runPlainNode(program)
      const pids = JSON.parse(stdout) as string[]
      expect(pids.length).toBeGreaterThan(0)
      const left = await eventually(
        () => pids.filter((pid) => readStat(Number(pid)) !== undefined),
        (running) => running.length === 0,
      )
      expect(left).toEqual([])
    }
  })
})

describe('a program has what Node.js has at the moment of the call:', () => {
  test('the umask', async () => {
    const seen = await changed(
      () => {
        const before = process.umask(0o027)
        return () => process.umask(before)
      },
      () => printed('sh', '-c', 'umask'),
    )
    expect(seen).toBe('0027')
  })

  test('the working directory', async () => {
    const before = process.cwd()
    const seen = await changed(
      () => {
        process.chdir('/usr')
        return () => process.chdir(before)
      },
      () => printed('pwd'),
    )
    expect(seen).toBe('/usr')
  })

  test('the environment', async () => {
    const seen = await changed(
      () => {
        process.env['NSSET_LATER'] = 'later'
        return () => delete process.env['NSSET_LATER']
      },
      () => printed('sh', '-c', 'echo $NSSET_LATER'),
    )
    expect(seen).toBe('later')
  })

  test('its limits, also those that another program has set', async () => {
    const seen = await changed(
      () => {
        const prlimit = (limit: string) => execFileSync('prlimit', ['--pid', String(process.pid), `--core=${limit}`])
        const before = execFileSync('prlimit', ['--pid', String(process.pid), '--core', '-o', 'SOFT', '--noheadings'])
        prlimit('4096:')
        return () => prlimit(`${before.toString().trim()}:`)
      },
      () => printed('sh', '-c', 'ulimit -c'),
    )
    expect(seen).toBe('8')
  })

  asRoot("the main thread's priority", 'an ordinary user cannot raise it again', async () => {
    const seen = await changed(
      () => {
        const before = getPriority()
        setPriority(constants.priority.PRIORITY_BELOW_NORMAL)
        return () => setPriority(before)
      },
      () => printed('nice'),
    )
    expect(seen).toBe(String(constants.priority.PRIORITY_BELOW_NORMAL))
  })

  test('the processors that it may use', async () => {
    const taskset = (list: string) => execFileSync('taskset', ['-cp', list, String(process.pid)])
    const before = /:\s*(\S+)\s*$/.exec(execFileSync('taskset', ['-cp', String(process.pid)]).toString())?.[1] as string
    const first = /^\d+/.exec(before)?.[0] as string
    const seen = await changed(
      () => {
        taskset(first)
        return () => taskset(before)
      },
      () => printed('sh', '-c', 'taskset -cp $$'),
    )
    expect(seen).toMatch(new RegExp(`: ${first}$`))
  })

  test('what it does when the memory is exhausted', async () => {
    const file = '/proc/self/oom_score_adj'
    const before = readFileSync(file, 'latin1').trim()
    const more = String(Number(before) + 7)
    const seen = await changed(
      () => {
        writeFileSync(file, more)
        // An ordinary user cannot lower it again.
        return () => isRoot && writeFileSync(file, before)
      },
      () => printed('cat', file),
    )
    expect(seen).toBe(more)
  })

  asRoot('its cgroup, into which another process has moved it', 'only root makes one', async (context) => {
    const place = cgroupDirectory()
    if (place === undefined) return context.skip('no hierarchy of cgroups can be written here')
    const group = `${place}/nsset-spare-${process.pid}`
    const seen = await changed(
      () => {
        mkdirSync(group)
        writeFileSync(`${group}/cgroup.procs`, String(process.pid))
        return () => writeFileSync(`${place}/cgroup.procs`, String(process.pid))
      },
      () => printed('cat', '/proc/self/cgroup'),
    )
    expect(seen).toContain(`nsset-spare-${process.pid}`)
    await noIdleHelper()
    await eventually(() => isRemoved(group), Boolean)
  })

  asRoot('its user and groups', 'only root changes to another user', async () => {
    const seen = await askPlainNode<string>(`
      import { setTimeout as pass } from 'node:timers/promises'
      import { NamespaceSet } from 'nsset'
      // Without a user namespace, so that the ids are those outside.
      const set = NamespaceSet.unshareSync(['pid'])
      await set.execFile('true')
      await pass(100)
      process.setgroups([4242])
      process.setgid(4321)
      process.setuid(1234)
      const own = NamespaceSet.unshareSync(['user', 'uts'], { mapUser: 'current' })
      const { stdout } = await own.execFile('sh', ['-c', 'id -u; id -g; grep Uid /proc/self/status'])
      console.log(JSON.stringify(stdout))`)
    expect(seen).toMatch(/^1234\n4321\nUid:\t1234\t1234\t1234\t1234\n$/)
  })

  test('no new privileges, after a filter or a sandbox took them away', async () => {
    const seen = await askPlainNode<string[]>(
      `
      import { NamespaceSet } from 'nsset'
      const set = NamespaceSet.unshareSync(['user', 'uts'], { mapUser: 'root' })
      const flags = []
      for (let turn = 0; turn < 3; turn++)
        flags.push((await set.execFile('sh', ['-c', 'grep NoNewPrivs /proc/self/status'])).stdout.trim())
      console.log(JSON.stringify(flags))`,
      { prefix: ['setpriv', '--no-new-privs'] },
    )
    expect(seen).toEqual(Array(3).fill('NoNewPrivs:\t1'))
  })

  test('its process group and session, and the parent of its children', async () => {
    await set.execFile('true')
    await anIdleHelper()
    const own = execFileSync('ps', ['-o', 'pgid=,sid=', '-p', String(process.pid)])
      .toString()
      .trim()
      .split(/\s+/)
    const [parent, ...groups] = (await printed('ps', '-o', 'ppid=,pgid=,sid=', '-C', 'ps')).split(/\s+/)
    expect([Number(parent), ...groups]).toEqual([process.pid, ...own])
  })
})

/** A directory of cgroups with this process; cgroups without the rule that only leaves have processes. */
function cgroupDirectory(): string | undefined {
  const lines = readFileSync('/proc/self/cgroup', 'latin1').trim().split('\n')
  for (const [, controllers = '', path = ''] of lines.map((line) => line.split(':'))) {
    const directory = `/sys/fs/cgroup/${controllers.replace('name=', '')}${path}`.replace(/\/$/, '')
    if (existsSync(`${directory}/cgroup.procs`) && isWritable(directory)) return directory
  }
  return undefined
}

function isWritable(directory: string): boolean {
  const trial = `${directory}/nsset-trial-${process.pid}`
  try {
    mkdirSync(trial)
    rmdirSync(trial)
    return true
  } catch {
    return false
  }
}

function isRemoved(group: string): boolean {
  try {
    rmdirSync(group)
    return true
  } catch {
    return !existsSync(group)
  }
}
