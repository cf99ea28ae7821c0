/** The faults for a call: the errors that the kernel can return for it, according to its manual page, and signals. */
import { constants } from 'node:fs'
import type { Call, Fault } from './fault.ts'

const NEW_NAMESPACES = 0x7e020000
const MSG_DONTWAIT = 0x40
/** The requests of netdevice(7) begin with this byte. */
const SIOC = 0x89

/** The threads that wait by tokio. */
const ON_TOKIO = ['nsset-network', 'nsset-forward']

/** Errors by call, if they do not depend on its arguments. */
const ERRORS: Record<string, readonly string[]> = {
  socket: ['EMFILE', 'ENOMEM'],
  socketpair: ['EMFILE', 'ENOMEM'],
  pipe: ['EMFILE', 'ENOMEM'],
  pipe2: ['EMFILE', 'ENOMEM'],
  dup: ['EMFILE'],
  dup2: ['EMFILE'],
  dup3: ['EMFILE'],
  eventfd2: ['EMFILE', 'ENOMEM'],
  timerfd_create: ['EMFILE', 'ENOMEM'],
  signalfd4: ['EMFILE', 'ENOMEM'],
  memfd_create: ['EMFILE', 'ENOMEM'],
  epoll_create1: ['EMFILE', 'ENOMEM'],
  clone3: ['EAGAIN', 'ENOMEM'],
  fork: ['EAGAIN', 'ENOMEM'],
  vfork: ['EAGAIN', 'ENOMEM'],
  execve: ['EAGAIN', 'ENOMEM', 'EMFILE', 'EPERM'],
  execveat: ['EAGAIN', 'ENOMEM', 'EMFILE', 'EPERM'],
  unshare: ['ENOMEM', 'ENOSPC', 'EPERM'],
  setns: ['ENOMEM', 'EPERM'],
  mount: ['ENOMEM', 'ENOSPC', 'EPERM'],
  umount2: ['ENOMEM', 'EPERM'],
  open_tree: ['EMFILE', 'ENOMEM', 'ENOSPC', 'EPERM'],
  move_mount: ['ENOMEM', 'ENOSPC', 'EPERM'],
  mount_setattr: ['ENOMEM', 'EPERM'],
  fsopen: ['EMFILE', 'ENOMEM', 'EPERM'],
  fsconfig: ['ENOMEM', 'EPERM'],
  fsmount: ['EMFILE', 'ENOMEM', 'EPERM'],
  pivot_root: ['EPERM'],
  chroot: ['ENOMEM', 'EPERM'],
  prlimit64: ['EPERM', 'EINVAL'],
  setpriority: ['EACCES'],
  seccomp: ['ENOMEM', 'EINVAL'],
  landlock_create_ruleset: ['EMFILE', 'ENOMEM'],
  landlock_add_rule: ['ENOMEM'],
  landlock_restrict_self: ['ENOMEM', 'E2BIG'],
  chdir: ['ENOMEM'],
  fchdir: ['ENOMEM'],
  mkdir: ['ENOMEM', 'ENOSPC', 'EPERM'],
  mkdirat: ['ENOMEM', 'ENOSPC', 'EPERM'],
  mknodat: ['ENOMEM', 'ENOSPC', 'EPERM'],
  symlinkat: ['ENOMEM', 'ENOSPC', 'EPERM'],
  linkat: ['ENOMEM', 'ENOSPC', 'EPERM'],
  renameat2: ['ENOMEM', 'ENOSPC', 'EPERM'],
  rmdir: ['ENOMEM', 'EPERM'],
  unlink: ['ENOMEM', 'EPERM'],
  unlinkat: ['ENOMEM', 'EPERM'],
  stat: ['ENOMEM'],
  lstat: ['ENOMEM'],
  fstat: ['ENOMEM'],
  newfstatat: ['ENOMEM'],
  statx: ['ENOMEM'],
  statfs: ['ENOMEM', 'EINTR'],
  fstatfs: ['ENOMEM', 'EINTR'],
  readlink: ['ENOMEM'],
  readlinkat: ['ENOMEM'],
  pidfd_open: ['EMFILE', 'ENOMEM'],
  pidfd_send_signal: ['EPERM'],
  kill: ['EPERM'],
  wait4: ['EINTR'],
  waitid: ['EINTR'],
  poll: ['EINTR', 'ENOMEM'],
  ppoll: ['EINTR', 'ENOMEM'],
  setresuid: ['EAGAIN', 'EPERM'],
  setresgid: ['EPERM'],
  setuid: ['EAGAIN', 'EPERM'],
  setgid: ['EPERM'],
  setgroups: ['ENOMEM', 'EPERM'],
  capset: ['EPERM'],
  setsid: ['EPERM'],
  sethostname: ['EPERM'],
  prctl: ['EPERM'],
  close_range: ['EMFILE', 'ENOMEM'],
  ftruncate: ['EINTR', 'EPERM'],
  fchmod: ['EPERM'],
  bind: ['ENOMEM'],
  setsockopt: ['ENOMEM', 'EPERM'],
  name_to_handle_at: ['EPERM'],
}

/** Calls of a child at which it is killed and stopped although they cannot fail. */
const BOUNDARIES = ['close', 'exit_group', 'shutdown', 'getsockname', 'listen']

/** Calls that are repeated depending on time, and how many of them get a fault. */
const REPEATED: Record<string, number> = { poll: 2, ppoll: 2, wait4: 3, waitid: 3 }

/**
 * How the threads of Node.js itself react to failures outside the addon: libuv aborts the process when the epoll of an
 * event loop, a wake-up or a signal pipe fails, also without the addon.
 */
function isNodes({ role, name, target }: Call): boolean {
  if (name === 'epoll_ctl' || name === 'epoll_create1') return !role.startsWith('nsset')
  return target.includes('[eventpoll]') && role === 'main'
}

/** Every possible fault at a call. */
export function faultsAt(call: Call): Fault[] {
  const { role, name, nth } = call
  if (nth > (REPEATED[name] ?? Number.POSITIVE_INFINITY)) return []
  const isChild = role.startsWith('child-')
  const errors = isNodes(call) ? [] : errorsOf(call)
  const signals = isChild && (errors.length > 0 || BOUNDARIES.includes(name)) ? signalsAt(name) : []
  return [...errors, ...signals].map((what) => ({ role, call: name, nth, what }))
}

/** A stop takes effect after the call; after execve it stops the program, as intended. */
function signalsAt(name: string): string[] {
  return name === 'execve' ? ['SIGKILL'] : ['SIGKILL', 'SIGSTOP']
}

function errorsOf(call: Call): readonly string[] {
  const { name, flags, target } = call
  if (name === 'open' || name === 'openat' || name === 'openat2') return ofOpen(flags)
  if (name === 'clone')
    return (flags & NEW_NAMESPACES) === 0 ? ['EAGAIN', 'ENOMEM'] : ['EAGAIN', 'ENOMEM', 'ENOSPC', 'EPERM']
  if (name === 'fcntl') return flags === 0 || flags === 1030 ? ['EMFILE'] : []
  if (name === 'ioctl') return ofIoctl(call)
  if (name === 'epoll_ctl') return flags === 1 ? ['ENOMEM', 'ENOSPC'] : []
  if (name === 'accept4') return ['EMFILE', 'ENOMEM', 'EPERM', ...ofWaiting(call)]
  if (name === 'connect') return ['EPERM', ...ofWaiting(call)]
  if (/^(read|pread64|readv)$/.test(name)) return isStream(target) ? ofWaiting(call) : ['ENOMEM']
  if (/^(write|writev|pwrite64)$/.test(name)) return isStream(target) ? ofWaiting(call) : ['ENOSPC', 'ENOMEM', 'EPERM']
  if (/^recv/.test(name)) return ['ENOMEM', ...ofWaiting(call)]
  if (/^send/.test(name)) {
    const rights = target.endsWith('+rights') ? ['ETOOMANYREFS'] : []
    return ['ENOMEM', 'EPERM', ...rights, ...ofWaiting(call)]
  }
  return ERRORS[name] ?? []
}

function ofOpen(flags: number): string[] {
  return (flags & constants.O_CREAT) === 0 ? ['EMFILE', 'ENOMEM', 'EPERM'] : ['EMFILE', 'ENOMEM', 'EPERM', 'ENOSPC']
}

/** Requests to a namespace or a network device; others, such as FIONBIO, cannot fail so. */
function ofIoctl({ target, flags }: Call): string[] {
  if (/^(net|user|pid|mnt|uts|ipc|time|cgroup):\[/.test(target)) return ['EMFILE', 'ENOMEM', 'EPERM']
  return flags >> 8 === SIOC ? ['ENOMEM', 'EPERM'] : []
}

/** A call that may block is interrupted; a non-blocking one returns EAGAIN. */
function ofWaiting({ role, isNonBlocking, name, flags }: Call): string[] {
  // tokio waits until the kernel reports the socket as ready again, which happens only if it was not.
  if (ON_TOKIO.includes(role)) return ['EINTR']
  const mayNotWait = isNonBlocking || (/^(send|recv)/.test(name) && (flags & MSG_DONTWAIT) !== 0)
  return mayNotWait ? ['EINTR', 'EAGAIN'] : ['EINTR']
}

function isStream(target: string): boolean {
  return target.startsWith('socket:') || target.startsWith('pipe:') || target === '?'
}
