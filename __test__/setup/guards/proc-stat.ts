/** Processes, as visible to every user in `/proc/PID/stat`. */
import { readdirSync, readFileSync } from 'node:fs'
import { childrenOf } from './resources.ts'

export interface ProcStat {
  pid: number
  comm: string
  state: string
  parent: number
  session: number
  /** It has exited, and waits in the kernel: PID 1 of a pid namespace, until others are reaped. */
  isEnding: boolean
}

/** `PF_EXITING` of the kernel's `flags`: proc_pid_stat(5). */
const EXITING = 0x4

export function parseStat(stat: string): ProcStat {
  const end = stat.lastIndexOf(')')
  const [state = '', parent, , session, , , flags] = stat.slice(end + 2).split(' ')
  const comm = stat.slice(stat.indexOf('(') + 1, end)
  const isEnding = (Number(flags) & EXITING) !== 0
  return { pid: Number.parseInt(stat, 10), comm, state, parent: Number(parent), session: Number(session), isEnding }
}

/** One process; undefined once it is gone, reaped or not. */
export function readStat(pid: number): ProcStat | undefined {
  try {
    const stat = parseStat(readFileSync(`/proc/${pid}/stat`, 'latin1'))
    return stat.state === 'Z' || stat.state === 'X' ? undefined : stat
  } catch {
    return undefined
  }
}

/** Live processes of a session, which has the helpers of nsset; programs in a pid namespace lead their own. */
export function membersOfSession(session: number): ProcStat[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return pids.flatMap((pid) => readStat(Number(pid)) ?? []).filter((stat) => stat.session === session)
}

/** The PID 1 of each pid namespace of this process, by their pids outside. */
export function initsOf(parent: number = process.pid): number[] {
  return childrenOf(parent).filter((pid) => readStat(pid)?.comm === 'nsset-init')
}
