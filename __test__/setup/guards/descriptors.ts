/** The descriptors of a process, as readable in `/proc/PID/fd` and `/proc/PID/fdinfo`. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { readStat } from './proc-stat.ts'

const { O_ACCMODE, O_APPEND, O_CLOEXEC, O_NONBLOCK } = {
  O_ACCMODE: 0o3,
  O_APPEND: 0o2000,
  O_NONBLOCK: 0o4000,
  O_CLOEXEC: 0o2000000,
}

/** `{ 0: 'socket read-write', 1: '/dev/null write' }`; numbers of sockets and pipes are left out. */
function descriptorsOf(pid: number): Record<string, string> {
  return Object.fromEntries(readdirSync(`/proc/${pid}/fd`).map((fd) => [fd, describe(pid, fd)]))
}

function describe(pid: number, fd: string): string {
  const target = readlinkSync(`/proc/${pid}/fd/${fd}`).replace(/:\[\d+\]$/, '')
  const info = readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'latin1')
  const flags = Number.parseInt(/flags:\s+(\d+)/.exec(info)?.[1] ?? '', 8)
  const words = [target, ['read', 'write', 'read-write'][flags & O_ACCMODE]]
  if (flags & O_APPEND) words.push('append')
  if (flags & O_NONBLOCK) words.push('nonblock')
  if (flags & O_CLOEXEC) words.push('cloexec')
  return words.join(' ')
}

/** The descriptors of a program once they are stable: while it starts, the loader opens and closes files. */
export async function descriptorsAtRest(pid: number): Promise<Record<string, string>> {
  let before = ''
  for (let count = 0; count < 300; count++) {
    const now = readStat(pid)?.state === 'S' ? look(pid) : {}
    if (JSON.stringify(now) === before && before !== '{}') return now
    before = JSON.stringify(now)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error(`the descriptors of process ${pid} keep changing`)
}

/** Undefined if it is closed meanwhile. */
function look(pid: number): Record<string, string> {
  try {
    return descriptorsOf(pid)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw error
  }
}
