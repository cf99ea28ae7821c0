import { type ControlGroupMount, controlGroupMounts } from '../../control-groups/mounts.ts'
import { failure } from '../facts/failures.ts'
import { readText } from '../facts/process-facts.ts'

/** @internal Returns the mount points of the cgroup hierarchies, one for each. */
export async function cgroupMounts(mountinfo: string): Promise<string[]> {
  const text = await readText(mountinfo)
  if (text === undefined) throw failure('ENOENT', `cannot read ${mountinfo}: is /proc mounted?`, { path: mountinfo })
  const widest = new Map<string, ControlGroupMount>()
  for (const mounted of controlGroupMounts(text)) {
    const known = widest.get(mounted.device)
    if (known === undefined || mounted.root.length < known.root.length) widest.set(mounted.device, mounted)
  }
  return [...widest.values()].map(({ target }) => target)
}
