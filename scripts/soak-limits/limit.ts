/** The limits of a soak: how each is set with room for a few more resources, and removed. */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pause } from './pause.ts'

export interface Limit {
  name: string
  /** Why it cannot be set here. */
  skipped?: string
  /** The room in each round. */
  rooms: readonly number[]
  /** Operations that it does not apply to. */
  without: readonly string[]
  /** Milliseconds after which it is removed in any case: without memory, a process sleeps until there is some. */
  patience?: number
  /** Where a process writes `0` to leave the limit. */
  outside?: string
  /** The program that starts the limited process. */
  prefix: readonly string[]
  begin(): void
  /** Allows a process this many more. */
  set(pid: number, room: number): void
  lift(pid: number): void
  end(): void
}

const isRoot = process.getuid?.() === 0
/** Root has no limit of processes; a user without other processes has one. */
const USER = 61_234
/** A forked Node.js that cannot start threads aborts, or hangs, which is not a defect of its parent. */
const NODES_OWN = ['fork']
const PLENTY = 4_096
const MEGABYTE = 1 << 20

export function limits(): Limit[] {
  return [descriptors(), processes(), controlGroup('pids'), controlGroup('memory')]
}

/** The process uses up its own descriptors: only it knows their exact number. */
function descriptors(): Limit {
  return {
    name: 'descriptors',
    rooms: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
    // Node.js leaks the descriptor of an epoll for each Worker that it lacks descriptors for.
    without: ['worker'],
    prefix: ['prlimit', '--nofile=256:256'],
    begin: () => undefined,
    set: () => undefined,
    lift: () => undefined,
    end: () => undefined,
  }
}

/** RLIMIT_NPROC counts every thread of a user. */
function processes(): Limit {
  const prefix = isRoot ? ['setpriv', `--reuid=${USER}`, `--regid=${USER}`, '--clear-groups'] : []
  const user = isRoot ? USER : (process.getuid?.() ?? 0)
  return {
    name: 'processes',
    rooms: [0, 1, 2, 3, 4, 6],
    without: NODES_OWN,
    prefix,
    begin: () => undefined,
    set: (pid, room) => limitProcesses(prefix, pid, threadsOf(user) + room),
    lift: (pid) => limitProcesses(prefix, pid, PLENTY),
    end: () => undefined,
  }
}

/** The soft limit alone, which the same user may raise again. */
function limitProcesses(prefix: readonly string[], pid: number, most: number): void {
  const [file, ...args] = [...prefix, 'prlimit', '--pid', `${pid}`, `--nproc=${most}:`] as string[] as [
    string,
    ...string[],
  ]
  execFileSync(file, args)
}

function threadsOf(user: number): number {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .reduce((sum, pid) => sum + threadsOfProcess(pid, user), 0)
}

function threadsOfProcess(pid: string, user: number): number {
  const status = text(`/proc/${pid}/status`) ?? ''
  if (Number(/^Uid:\t(\d+)/m.exec(status)?.[1]) !== user) return 0
  return Number(/^Threads:\t(\d+)/m.exec(status)?.[1] ?? 0)
}

/** A separate control group, of version 1 or 2. */
function controlGroup(controller: 'pids' | 'memory'): Limit {
  const isMemory = controller === 'memory'
  const rooms = isMemory ? [0, 1 / 64, 1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1] : [0, 1, 2, 3, 4, 6]
  const parent = isRoot ? parentGroup(controller) : undefined
  const group = join(parent ?? '/', `nsset-soak-${process.pid}`)
  const isFirst = parent !== undefined && existsSync(join(parent, 'memory.limit_in_bytes'))
  const [used, most, without] = !isMemory
    ? ['pids.current', 'pids.max', 'max']
    : isFirst
      ? ['memory.usage_in_bytes', 'memory.limit_in_bytes', '-1']
      : ['memory.current', 'memory.max', 'max']
  const room = (more: number) => Number(read(join(group, used))) + Math.round(more * (isMemory ? MEGABYTE : 1))
  const write = (value: string) => writeFileSync(join(group, most), value)
  // Without memory the kernel would kill Node.js, the largest process; so it fails allocations instead.
  const protect = isMemory && !isFirst ? 'echo -1000 >/proc/self/oom_score_adj && ' : ''
  const skipped = whyNoGroup(controller, parent, protect !== '')
  return {
    name: controller,
    rooms,
    without: NODES_OWN,
    prefix: ['sh', '-c', `${protect}echo $$ >"$0/cgroup.procs" && exec "$@"`, group],
    ...(skipped === undefined ? {} : { skipped }),
    ...(isMemory ? { patience: 500 } : {}),
    ...(parent === undefined ? {} : { outside: join(parent, 'cgroup.procs') }),
    begin: () => {
      mkdirSync(group)
      if (isMemory && isFirst) writeFileSync(join(group, 'memory.oom_control'), '1')
    },
    set: (_, more) => untilAccepted(() => write(`${room(more)}`)),
    lift: () => write(without),
    end: () => removeGroup(group),
  }
}

/** Version 1 rejects a limit below the current usage, which may have grown since it was read: EBUSY. */
function untilAccepted(set: () => void): void {
  for (let tries = 1; ; tries += 1) {
    try {
      set()
      return
    } catch (error) {
      if (tries === 20 || (error as NodeJS.ErrnoException).code !== 'EBUSY') throw error
    }
  }
}

function whyNoGroup(controller: string, parent: string | undefined, isProtected: boolean): string | undefined {
  if (!isRoot) return 'only root makes control groups'
  if (parent === undefined) return `no control group here has the controller ${controller}`
  return isProtected && !mayProtect() ? 'oom_score_adj may not be lowered here (CAP_SYS_RESOURCE)' : undefined
}

function mayProtect(): boolean {
  const { status } = spawnSync('sh', ['-c', 'echo -1000 >/proc/self/oom_score_adj'], { stdio: 'ignore' })
  return status === 0
}

/** Below the group of this process in version 1; in version 2 below the root: groups with processes delegate none. */
function parentGroup(controller: string): string | undefined {
  const mounts = (text('/proc/self/mountinfo') ?? '').split('\n')
  const first = mounts.find((line) => line.includes(' - cgroup ') && line.split(/[ ,]/).includes(controller))
  if (first !== undefined) {
    const own = new RegExp(`^\\d+:(?:[^:]*,)?${controller}(?:,[^:]*)?:(.*)$`, 'm').exec(
      text('/proc/self/cgroup') ?? '',
    )?.[1]
    const path = join(first.split(' ')[4] ?? '', own ?? '/')
    return existsSync(path) ? path : first.split(' ')[4]
  }
  const second = mounts.find((line) => line.includes(' - cgroup2 '))?.split(' ')[4]
  const given = second === undefined ? '' : (text(join(second, 'cgroup.subtree_control')) ?? '')
  return given.split(/\s/).includes(controller) ? second : undefined
}

/** Its processes may need a moment to exit. */
function removeGroup(group: string): void {
  for (let tries = 0; tries < 50; tries += 1) {
    try {
      rmdirSync(group)
      return
    } catch {
      pause()
    }
  }
}

function read(file: string): string {
  return readFileSync(file, 'latin1')
}

function text(file: string): string | undefined {
  try {
    return read(file)
  } catch {
    return undefined
  }
}
