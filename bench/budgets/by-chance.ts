/** The system calls that are not counted: most of them, since how many there are depends on what the machine does beside. */

/** By name, with the reason. */
export const BY_CHANCE: Readonly<Record<string, string>> = {
  futex: 'a thread waits for another, or not',
  sched_yield: 'the calling thread looks, and looks again, until the helper has spoken',
  poll: 'as sched_yield, with which it takes turns',
  ppoll: 'poll where there is no poll',
  epoll_wait: 'how often a loop looks depends on how much is there at a time',
  epoll_pwait: 'as epoll_wait',
  epoll_pwait2: 'as epoll_wait',
  brk: 'memory: the allocators and V8 take and give back as it suits them',
  madvise: 'memory',
  mmap: 'memory',
  mprotect: 'memory',
  mremap: 'memory',
  munmap: 'memory',
  pkey_mprotect: 'memory',
  exit_group: 'a helper that has nothing more to say is killed on its way out, or just not',
  waitid: 'strace waits for a child before its parent may, which asks until then',
  getpid: 'V8 asks with every collection of garbage',
  restart_syscall: 'a wait goes on after a signal',
  rt_sigreturn: 'as restart_syscall',
  rt_sigaction: 'one for each signal of a program that starts: so many that others would be lost among them',
}

/** By what they are about, as `strace -y` shows it. */
const ABOUT_CHANCE: readonly RegExp[] = [
  // Wake-ups that come close to each other are one.
  /^(read|write)\(\d+<anon_inode:\[eventfd\]>/,
  // The clock that ticks while a helper starts, and what is done at a tick.
  /^read\(\d+<anon_inode:\[timerfd\]>/,
  /^pidfd_send_signal\(\d+<[^>]*>, SIGCONT/,
]

/** Whether a call, as it stands in the trace, is one of those. */
export function isByChance(call: string): boolean {
  return ABOUT_CHANCE.some((pattern) => pattern.test(call))
}
