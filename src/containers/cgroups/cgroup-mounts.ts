import { failure } from '../facts/failures.ts'
import { readText } from '../facts/process-facts.ts'

interface Mounted {
  device: string
  root: string
  target: string
}

/**
 * @internal Returns the mount points of the cgroup hierarchies: one with version 2, about one for each controller with
 * version 1.
 *
 * @see cgroups(7), proc_pid_mountinfo(5)
 */
export async function cgroupMounts(mountinfo: string): Promise<string[]> {
  const text = await readText(mountinfo)
  if (text === undefined) throw failure('ENOENT', `cannot read ${mountinfo}: is /proc mounted?`, { path: mountinfo })
  const widest = new Map<string, Mounted>()
  for (const mounted of text.split('\n').map(parseLine)) {
    if (mounted === undefined) continue
    const known = widest.get(mounted.device)
    if (known === undefined || mounted.root.length < known.root.length) widest.set(mounted.device, mounted)
  }
  return [...widest.values()].map(({ target }) => target)
}

function parseLine(line: string): Mounted | undefined {
  const [before = '', after = ''] = line.split(' - ')
  if (!/^cgroup2? /.test(after)) return undefined
  const [, , device = '', root = '', target = ''] = before.split(' ')
  return { device, root, target: unescaped(target) }
}

/** Decodes blanks and other characters of a path, which are written in octal. */
function unescaped(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
}
