/** @internal What `/proc` tells everybody about a process. */
export interface ProcessFacts {
  pid: number
  /** 0 when it is outside of this pid namespace. */
  parent: number
  /** In clock ticks since boot: with the pid, it tells a process from every other. */
  startTime: number
  /** It is pid 1 of a pid namespace. */
  isInit: boolean
  /** It is that of a namespace below the one of this `/proc`. */
  isInner: boolean
}

/**
 * @internal Undefined when it is gone, or has ended and only waits to be reaped.
 *
 * @see proc_pid_stat(5), proc_pid_status(5)
 */
export async function readProcess(proc: string, pid: number): Promise<ProcessFacts | undefined> {
  const stat = await readText(`${proc}/${pid}/stat`)
  const status = await readText(`${proc}/${pid}/status`)
  if (stat === undefined || status === undefined) return undefined
  // The name before may hold blanks and parentheses.
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

/** @internal The paths of its cgroups, one for each hierarchy; undefined when it is gone. */
export async function cgroupsOf(proc: string, pid: number): Promise<string[] | undefined> {
  const text = await readText(`${proc}/${pid}/cgroup`)
  return text
    ?.split('\n')
    .filter((line) => line !== '')
    .map((line) => line.replace(/^\d+:[^:]*:/, ''))
}

/** @internal A small file, as text; undefined when it is not there or not to be read. */
export async function readText(path: string): Promise<string | undefined> {
  const { readFile } = process.getBuiltinModule('node:fs/promises')
  try {
    return await readFile(path, 'utf8')
  } catch {
    return undefined
  }
}
