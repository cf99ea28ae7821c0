import { numbers, read, readOptional } from './files.ts'

/** CPU time of a control group since its creation, in milliseconds. */
export interface ControlGroupCpu {
  /** All CPU time. */
  usage: number
  /** CPU time in programs. */
  user: number
  /** CPU time in the kernel. */
  system: number
  /** What the limit `cpus` has done. Undefined without the controller `cpu`. */
  throttling?: ControlGroupThrottling | undefined
}

/** How often the limit `cpus` was reached. */
export interface ControlGroupThrottling {
  /** The number of periods of 100 ms in which processes of the group ran. */
  periods: number
  /** The number of these periods in which the limit was reached. */
  throttledPeriods: number
  /** How long processes waited for the next period, in milliseconds, for all CPUs together. */
  throttled: number
}

/** Memory of a control group. */
export interface ControlGroupMemory {
  /** In bytes, with the page cache of files that its processes have read. */
  current: number
  /** The most since its creation, in bytes. Undefined before Linux 5.19. */
  peak?: number | undefined
  /** Swap space in bytes. Undefined if the kernel does not count it. */
  swap?: number | undefined
  /** The numbers of events since its creation (`memory.events`). */
  events: ControlGroupMemoryEvents
}

/** Counts of events, in the group and in those below it. */
export interface ControlGroupMemoryEvents {
  /** How often the kernel reclaimed memory at the limit. */
  max: number
  /** How often that was not enough, so that an allocation failed or processes were killed. */
  oom: number
  /** The number of processes that the kernel killed. */
  oomKill: number
}

/** The number of processes and threads of a control group. */
export interface ControlGroupProcesses {
  current: number
  /** The most since its creation. Undefined before Linux 6.1. */
  peak?: number | undefined
  /** How often fork(2) failed because of the limit (`pids.events`). */
  refused: number
}

/** The state of a control group, and what its processes and those of the groups below it have used. */
export interface ControlGroupStat {
  /** Whether processes are in it or in groups below it. */
  populated: boolean
  /** Whether all of its processes are frozen. */
  frozen: boolean
  cpu: ControlGroupCpu
  /** Undefined without the controller `memory`: set a limit, or `memory: Infinity`, to turn it on. */
  memory?: ControlGroupMemory | undefined
  /** Undefined without the controller `pids`: set a limit, or `processes: Infinity`, to turn it on. */
  processes?: ControlGroupProcesses | undefined
}

/** @internal Reads the state of a group. */
export async function statisticsOf(directory: string): Promise<ControlGroupStat> {
  const [events, cpu, memory, processes] = await Promise.all([
    read(directory, 'cgroup.events').then(numbers),
    cpuOf(directory),
    memoryOf(directory),
    processesOf(directory),
  ])
  return { populated: events.get('populated') === 1, frozen: events.get('frozen') === 1, cpu, memory, processes }
}

async function cpuOf(directory: string): Promise<ControlGroupCpu> {
  const stat = numbers(await read(directory, 'cpu.stat'))
  const milliseconds = (name: string) => (stat.get(name) ?? 0) / 1000
  const periods = stat.get('nr_periods')
  const throttling =
    periods === undefined
      ? undefined
      : {
          periods,
          throttledPeriods: stat.get('nr_throttled') ?? 0,
          throttled: milliseconds('throttled_usec'),
        }
  return {
    usage: milliseconds('usage_usec'),
    user: milliseconds('user_usec'),
    system: milliseconds('system_usec'),
    throttling,
  }
}

async function memoryOf(directory: string): Promise<ControlGroupMemory | undefined> {
  const [current, peak, swap, text] = await Promise.all([
    readNumber(directory, 'memory.current'),
    readNumber(directory, 'memory.peak'),
    readNumber(directory, 'memory.swap.current'),
    readOptional(directory, 'memory.events'),
  ])
  if (current === undefined || text === undefined) return undefined
  const events = numbers(text)
  const count = (name: string) => events.get(name) ?? 0
  return { current, peak, swap, events: { max: count('max'), oom: count('oom'), oomKill: count('oom_kill') } }
}

async function processesOf(directory: string): Promise<ControlGroupProcesses | undefined> {
  const [current, peak, text] = await Promise.all([
    readNumber(directory, 'pids.current'),
    readNumber(directory, 'pids.peak'),
    readOptional(directory, 'pids.events'),
  ])
  if (current === undefined || text === undefined) return undefined
  return { current, peak, refused: numbers(text).get('max') ?? 0 }
}

async function readNumber(directory: string, name: string): Promise<number | undefined> {
  const text = await readOptional(directory, name)
  return text === undefined ? undefined : Number(text)
}
