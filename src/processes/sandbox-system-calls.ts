import {
  parseSandboxOptions,
  type SandboxSystemCallsOptions,
} from '../validate/processes/confinement/sandbox-options.ts'
import type {
  SystemCallCondition,
  SystemCallFilter,
  SystemCallRule,
} from '../validate/processes/confinement/system-calls.ts'
import { systemCalls } from './system-calls.ts'

type Rules = readonly (string | SystemCallRule)[]

const is = (index: number, value: number): SystemCallCondition => ({ index, is: '==', value })
const isNot = (index: number, value: number): SystemCallCondition => ({ index, is: '!=', value })

/** Other processes: their memory, their descriptors, their pages, and what they do. */
const OTHER_PROCESSES: Rules = [
  'ptrace',
  'process_vm_readv',
  'process_vm_writev',
  'process_madvise',
  'pidfd_getfd',
  'kcmp',
  'move_pages',
  'migrate_pages',
  'perf_event_open',
]

/** Programs for the kernel, and faults that a program handles for the kernel: where most of the kernel's holes were. */
const KERNEL_PROGRAMS: Rules = ['bpf', 'userfaultfd', 'lookup_dcookie']

/** io_uring: its requests pass every filter of system calls. */
const IO_URING: Rules = ['io_uring_setup', 'io_uring_enter', 'io_uring_register']

/** Keyrings, which belong to no namespace. */
const KEYRINGS: Rules = ['add_key', 'keyctl', 'request_key']

const CLONE_NEWUSER = 0x1000_0000

/**
 * New user namespaces, with all their capabilities, and other namespaces. The flags of clone3 are in memory, which a filter cannot
 * read, so it fails as on an older kernel, and the C library uses clone.
 */
const NAMESPACES: Rules = [
  'setns',
  ...['clone', 'unshare'].map((name) => ({
    name,
    when: [{ ...is(0, CLONE_NEWUSER), mask: CLONE_NEWUSER }],
  })),
  { name: 'clone3', errno: 'ENOSYS' },
]

/** Mounts, and another root directory. */
const MOUNTS: Rules = [
  'mount',
  'umount2',
  'pivot_root',
  'chroot',
  'open_tree',
  'open_tree_attr',
  'move_mount',
  'mount_setattr',
  'fsopen',
  'fsconfig',
  'fsmount',
  'fspick',
]

/** The machine: its kernel and modules, its disks, its ports and its clock. */
const MACHINE: Rules = [
  'kexec_load',
  'kexec_file_load',
  'reboot',
  'init_module',
  'finit_module',
  'delete_module',
  'swapon',
  'swapoff',
  'acct',
  'quotactl',
  'quotactl_fd',
  'syslog',
  'iopl',
  'ioperm',
  'settimeofday',
  'clock_settime',
  'clock_adjtime',
  'adjtimex',
  'vhangup',
]

/** Files by a handle, whatever the directories above them allow, and the watching of whole file systems. */
const FILE_HANDLES: Rules = ['open_by_handle_at', 'fanotify_init', 'fanotify_mark']

/** What only old programs use: segments of x86, and calls that later ones replaced. */
const OBSOLETE: Rules = ['modify_ldt', 'uselib', 'sysfs', '_sysctl', 'nfsservctl', 'ustat']

/** Execution domains other than that of Linux, of 32 bits, and without random addresses (personality(2)). */
const PERSONALITIES = [0x0, 0x8, 0x2_0000, 0x2_0008, 0x4_0000, 0xffff_ffff]

/** Socket families: AF_UNIX, AF_INET, AF_INET6 and AF_NETLINK are allowed, and AF_VSOCK, AF_PACKET, AF_ALG and the others are not. */
const FAMILIES = [1, 2, 10, 16]

const TIOCSTI = 0x5412
const TIOCLINUX = 0x541c

const CONDITIONAL: Rules = [
  { name: 'personality', when: PERSONALITIES.map((value) => isNot(0, value)) },
  { name: 'socket', when: FAMILIES.map((value) => isNot(0, value)), errno: 'EAFNOSUPPORT' },
  // Input for a terminal, as if its user had typed it.
  { name: 'ioctl', when: [is(1, TIOCSTI)] },
  { name: 'ioctl', when: [is(1, TIOCLINUX)] },
]

/**
 * Returns the filter of system calls for programs that you do not trust. What is in it fails with EPERM, and everything else is allowed,
 * so that ordinary programs work: compilers, Node.js, Python, shells. It refuses
 *
 * - other processes: ptrace, process_vm_readv, process_vm_writev, process_madvise, pidfd_getfd, kcmp, move_pages, migrate_pages,
 *   perf_event_open;
 * - programs for the kernel: bpf, userfaultfd, lookup_dcookie;
 * - io_uring, whose requests no filter sees: io_uring_setup, io_uring_enter, io_uring_register;
 * - keyrings, which belong to no namespace: add_key, keyctl, request_key;
 * - new user namespaces and setns: unshare and clone with CLONE_NEWUSER; clone3 fails with ENOSYS, and the C library uses clone;
 * - mounts: mount, umount2, pivot_root, chroot, open_tree, open_tree_attr, move_mount, mount_setattr, fsopen, fsconfig, fsmount, fspick;
 * - the machine: kexec_load, kexec_file_load, reboot, init_module, finit_module, delete_module, swapon, swapoff, acct, quotactl,
 *   quotactl_fd, syslog, iopl, ioperm, settimeofday, clock_settime, clock_adjtime, adjtimex, vhangup;
 * - files by handles: open_by_handle_at, fanotify_init, fanotify_mark;
 * - what is obsolete: modify_ldt, uselib, sysfs, _sysctl, nfsservctl, ustat;
 * - personalities other than Linux, PER_LINUX32, UNAME26 and ADDR_NO_RANDOMIZE;
 * - socket families other than AF_UNIX, AF_INET, AF_INET6 and AF_NETLINK, with EAFNOSUPPORT: no AF_VSOCK, AF_PACKET, AF_ALG;
 * - input for a terminal: ioctl with TIOCSTI and TIOCLINUX;
 * - system calls that are newer than this version of nsset, with ENOSYS.
 *
 * The result is plain data. Keep it, and pass it to every program: it is compiled once. Without options, it is always the same object.
 *
 * @example
 * const seccomp = sandboxSystemCalls({ allow: ['ptrace'] })
 * await set.execFile('gdb', ['--batch', 'program'], { seccomp, capabilities: [] })
 *
 * @see seccomp(2), and the default profile of Docker and the filter of Flatpak, which are similar
 */
export function sandboxSystemCalls(options?: SandboxSystemCallsOptions): SystemCallFilter {
  if (options !== undefined) return create(options)
  byDefault ??= create()
  return byDefault
}

let byDefault: SystemCallFilter | undefined

function create(options?: SandboxSystemCallsOptions): SystemCallFilter {
  const { allow = [], deny = [], userNamespaces = false } = parseSandboxOptions(options)
  const rules: Rules = [
    ...OTHER_PROCESSES,
    ...KERNEL_PROGRAMS,
    ...IO_URING,
    ...KEYRINGS,
    ...(userNamespaces ? [] : [...NAMESPACES, ...MOUNTS]),
    ...MACHINE,
    ...FILE_HANDLES,
    ...OBSOLETE,
    ...CONDITIONAL,
  ]
  const isKept = (rule: string | SystemCallRule) => !allow.includes(typeof rule === 'string' ? rule : `${rule.name}`)
  return systemCalls({ default: 'allow', allow, deny: [...rules.filter(isKept), ...deny], denyUnknown: true })
}
