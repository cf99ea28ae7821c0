/** @internal A mount of a hierarchy of control groups. */
export interface ControlGroupMount {
  version: 1 | 2
  /** The device number, which all mounts of one hierarchy share. */
  device: string
  /** The path in the hierarchy that is mounted, as seen from the cgroup namespace of the reader. */
  root: string
  target: string
}

/**
 * @internal Returns the mounts of control groups, from the text of /proc/PID/mountinfo. With version 2 there is one hierarchy, with
 * version 1 about one for each controller.
 *
 * @see cgroups(7), proc_pid_mountinfo(5)
 */
export function controlGroupMounts(mountinfo: string): ControlGroupMount[] {
  return mountinfo.split('\n').flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ')
    const [, version] = /^cgroup(2?) /.exec(after) ?? []
    if (version === undefined) return []
    const [, , device = '', root = '', target = ''] = before.split(' ')
    return [{ version: version === '2' ? 2 : 1, device, root: unescaped(root), target: unescaped(target) }]
  })
}

/** Decodes blanks and other characters of a path, which are written in octal. */
function unescaped(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
}
