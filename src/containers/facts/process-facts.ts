/** @internal Facts about a process that every user can read in `/proc`. */
export interface ProcessFacts {
  pid: number
  /** 0 if the parent is outside of this pid namespace. */
  parent: number
  /** In clock ticks since boot. Together with the pid, it identifies a process. */
  startTime: number
  /** Whether it is pid 1 of a pid namespace. */
  isInit: boolean
  /** Whether its pid namespace is below the one of this `/proc`. */
  isInner: boolean
}

/**
 * @internal Returns undefined if there is no such process, or it is a zombie.
 *
 * @see proc_pid_stat(5), proc_pid_status(5)
 */
export async function readProcess(proc: string, pid: number): Promise<ProcessFacts | undefined> {
  const stat = await readText(`${proc}/${pid}/stat`)
  const status = await readText(`${proc}/${pid}/status`)
  if (stat === undefined || status === undefined) return undefined
  // The second field, the name, may contain blanks and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (fields[0] === 'Z' || fields[0] === 'X') return undefined
  const pids = /^NSpid:(.*)$/m.exec(status)?.[1]?.trim().split(/\s+/) ?? []
  return {
    pid,
    parent: Number(fields[1]),
    startTime: Number(fields[19]),
    isInit: pids.at(-1) === '1',
    isInner: pids.length > 1,
  }
}

/** @internal Returns the paths of a process' cgroups, one for each hierarchy; undefined if there is no such process. */
export async function cgroupsOf(proc: string, pid: number): Promise<string[] | undefined> {
  const text = await readText(`${proc}/${pid}/cgroup`)
  return text
    ?.split('\n')
    .filter((line) => line !== '')
    .map((line) => line.replace(/^\d+:[^:]*:/, ''))
}

/** @internal Reads a small file as text; undefined if it does not exist or is not readable. */
export async function readText(path: string): Promise<string | undefined> {
  const { readFile } = process.getBuiltinModule('node:fs/promises')
  try {
    return await readFile(path, 'utf8')
  } catch {
    return undefined
  }
}
