/** System calls that are not counted, mostly because their number depends on the load of the machine. */

/** By name, with the reason. */
export const BY_CHANCE: Readonly<Record<string, string>> = {
  futex: 'a thread waits for another, or not',
  sched_yield: 'the calling thread polls until the helper responds',
  poll: 'as sched_yield, with which it alternates',
  ppoll: 'poll on architectures without it',
  epoll_wait: 'how often a loop polls depends on how much is ready at a time',
  epoll_pwait: 'as epoll_wait',
  epoll_pwait2: 'as epoll_wait',
  sched_getaffinity: 'a thread that waits is moved to the CPU of its caller, unless it is there',
  sched_setaffinity: 'as sched_getaffinity',
  brk: 'memory: the allocators and V8 allocate and free as needed',
  madvise: 'memory',
  mmap: 'memory',
  mprotect: 'memory',
  mremap: 'memory',
  munmap: 'memory',
  pkey_mprotect: 'memory',
  exit_group: 'a helper that has sent everything may be killed before it exits',
  waitid: 'strace waits for a child before its parent can, which retries until then',
  getpid: 'V8 calls it at every garbage collection',
  restart_syscall: 'a wait continues after a signal',
  rt_sigreturn: 'as restart_syscall',
  rt_sigaction: 'one for each signal of a starting program: so many that others would be lost among them',
}

/** By their targets, as shown by `strace -y`. */
const ABOUT_CHANCE: readonly RegExp[] = [
  // Wake-ups in quick succession are merged.
  /^(read|write)\(\d+<anon_inode:\[eventfd\]>/,
  // The timer that runs while a helper starts, and the work of its ticks.
  /^read\(\d+<anon_inode:\[timerfd\]>/,
  /^pidfd_send_signal\(\d+<[^>]*>, SIGCONT/,
]

/** Whether a call in the trace is one of those. */
export function isByChance(call: string): boolean {
  return ABOUT_CHANCE.some((pattern) => pattern.test(call))
}
