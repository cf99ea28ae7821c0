import { NamespaceError } from '../errors.ts'

/** What to do if the system does not let this process manage control groups. */
const DELEGATION =
  'start Node.js in a group that is delegated to its user (systemd: Delegate=yes in the unit, or ' +
  'systemd-run --user --scope -p Delegate=yes node …), or pass such a group as the option parent'

const REMEDIES: Record<string, string> = {
  EACCES: `the caller may not change this control group: ${DELEGATION}`,
  EPERM: `the caller may not change this control group: ${DELEGATION}`,
  EROFS:
    'control groups are mounted read-only here, as container engines do by default; with Docker: --cgroupns=private --privileged',
  EEXIST: 'a control group, or a file of its parent, has this name',
  EBUSY:
    'processes are in this group, and a group with processes cannot limit the groups below it (cgroups(7), "no internal processes")',
  ENODEV: 'the control group has been removed',
  EAGAIN: 'the limit cgroup.max.descendants or cgroup.max.depth of a group above is reached',
}

/** @internal The error for a file of a control group, from the error of `node:fs`. */
export function explained(error: unknown, remedy?: string): NamespaceError {
  const { code = 'EIO', errno, syscall, path, message } = error as NodeJS.ErrnoException
  const hint = remedy ?? REMEDIES[code]
  return new NamespaceError({
    code,
    message: hint === undefined ? message : `${message}: ${hint}`,
    ...(errno === undefined ? {} : { errno }),
    ...(syscall === undefined ? {} : { syscall }),
    ...(path === undefined ? {} : { path }),
  })
}

/** @internal An error that is not the failure of a single system call. */
export function failure(
  code: 'EBUSY' | 'EINVAL' | 'ENODEV' | 'ENOENT' | 'EOPNOTSUPP' | 'ETIMEDOUT',
  path: string,
  reason: string,
): NamespaceError {
  const { errno } = process.getBuiltinModule('node:os').constants
  const message = `${code}: ${reason}, control group '${path}'`
  return new NamespaceError({ code, errno: -errno[code], syscall: 'cgroup', path, message })
}

/** @internal The error for a system without control groups of version 2. */
export function withoutVersion2(): NamespaceError {
  const reason =
    'no control groups of version 2 are mounted here: boot with systemd.unified_cgroup_hierarchy=1, or mount cgroup2 (cgroups(7))'
  return failure('EOPNOTSUPP', '/sys/fs/cgroup', reason)
}

/** @internal The error for controllers that a group cannot pass on to the groups below it. */
export function withoutControllers(
  path: string,
  controllers: readonly string[],
  isOfVersion2: boolean,
): NamespaceError {
  const list = controllers.join(', ')
  const reason = isOfVersion2
    ? `the groups above it do not delegate these controllers: ${list}; with systemd: Delegate=${controllers.join(' ')} (systemd.resource-control(5))`
    : `these controllers are not available in version 2: ${list}; the kernel lacks them, or version 1 uses them (cgroup_no_v1=all, or systemd.unified_cgroup_hierarchy=1)`
  return failure('EOPNOTSUPP', path, reason)
}

/** @internal The error for a group with processes that would have to pass on controllers. */
export function withProcesses(path: string): NamespaceError {
  const reason =
    'processes that Node.js has not started are in this group, and a group with processes cannot limit the groups below it ' +
    '(cgroups(7), "no internal processes"); pass a group without processes as the option parent, or start Node.js in a group of its own ' +
    '(systemd-run --user --scope -p Delegate=yes node …)'
  return failure('EBUSY', path, reason)
}
