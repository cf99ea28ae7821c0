//! System calls without a libc: the numbers, the trap, and one thin function for each call the helper makes.

use core::{ffi::CStr, mem::MaybeUninit};

/// An error number, positive as in errno(3).
pub type Errno = i32;

pub const EPERM: Errno = 1;
pub const ENOENT: Errno = 2;
pub const EINTR: Errno = 4;
pub const EIO: Errno = 5;
pub const E2BIG: Errno = 7;
pub const ENOEXEC: Errno = 8;
pub const EAGAIN: Errno = 11;
pub const ENOMEM: Errno = 12;
pub const EACCES: Errno = 13;
pub const EEXIST: Errno = 17;
pub const ENODEV: Errno = 19;
pub const ENOTDIR: Errno = 20;
pub const EINVAL: Errno = 22;
pub const EMFILE: Errno = 24;
pub const EFBIG: Errno = 27;
pub const ENAMETOOLONG: Errno = 36;
pub const ENOSYS: Errno = 38;
pub const ETIMEDOUT: Errno = 110;

pub const AT_FDCWD: i32 = -100;
pub const AT_RECURSIVE: usize = 0x8000;
pub const AT_EMPTY_PATH: usize = 0x1000;

pub const O_RDONLY: usize = 0;
pub const O_WRONLY: usize = 1;
pub const O_RDWR: usize = 2;
pub const O_NOCTTY: usize = 0o400;
pub const O_NONBLOCK: usize = 0o4_000;
pub const O_CLOEXEC: usize = 0o2_000_000;
pub const O_PATH: usize = 0o10_000_000;
#[cfg(target_arch = "x86_64")]
pub const O_DIRECTORY: usize = 0o200_000;
#[cfg(target_arch = "aarch64")]
pub const O_DIRECTORY: usize = 0o40_000;
#[cfg(target_arch = "x86_64")]
pub const O_NOFOLLOW: usize = 0o400_000;
#[cfg(target_arch = "aarch64")]
pub const O_NOFOLLOW: usize = 0o100_000;

pub const CLONE_PARENT: usize = 0x8000;
pub const CLONE_NEWNS: usize = 0x2_0000;
pub const CLONE_NEWUSER: usize = 0x1000_0000;
pub const SIGCHLD: usize = 17;

#[cfg(target_arch = "x86_64")]
mod number {
    pub const READ: usize = 0;
    pub const WRITE: usize = 1;
    pub const CLOSE: usize = 3;
    pub const MMAP: usize = 9;
    pub const IOCTL: usize = 16;
    pub const PREAD64: usize = 17;
    pub const RT_SIGACTION: usize = 13;
    pub const RT_SIGPROCMASK: usize = 14;
    pub const PIPE2: usize = 293;
    pub const SOCKET: usize = 41;
    pub const SENDMSG: usize = 46;
    pub const RECVMSG: usize = 47;
    pub const SHUTDOWN: usize = 48;
    pub const CLONE: usize = 56;
    pub const EXECVE: usize = 59;
    pub const KILL: usize = 62;
    pub const FCNTL: usize = 72;
    pub const CHDIR: usize = 80;
    pub const FCHDIR: usize = 81;
    pub const SENDFILE: usize = 40;
    pub const UMASK: usize = 95;
    pub const GETUID: usize = 102;
    pub const GETGID: usize = 104;
    pub const SETPGID: usize = 109;
    pub const SETSID: usize = 112;
    pub const SETGROUPS: usize = 116;
    pub const SETRESUID: usize = 117;
    pub const SETRESGID: usize = 119;
    pub const CAPGET: usize = 125;
    pub const CAPSET: usize = 126;
    pub const FSTATFS: usize = 138;
    pub const SETPRIORITY: usize = 141;
    pub const PIVOT_ROOT: usize = 155;
    pub const PRCTL: usize = 157;
    pub const MOUNT: usize = 165;
    pub const UMOUNT2: usize = 166;
    pub const SETHOSTNAME: usize = 170;
    pub const EXIT_GROUP: usize = 231;
    pub const OPENAT: usize = 257;
    pub const MKDIRAT: usize = 258;
    pub const SYMLINKAT: usize = 266;
    pub const PPOLL: usize = 271;
    pub const UNSHARE: usize = 272;
    pub const DUP3: usize = 292;
    pub const PRLIMIT64: usize = 302;
    pub const SETNS: usize = 308;
    pub const SECCOMP: usize = 317;
    pub const STATX: usize = 332;
}

#[cfg(target_arch = "aarch64")]
mod number {
    pub const DUP3: usize = 24;
    pub const FCNTL: usize = 25;
    pub const IOCTL: usize = 29;
    pub const MKDIRAT: usize = 34;
    pub const SYMLINKAT: usize = 36;
    pub const UMOUNT2: usize = 39;
    pub const MOUNT: usize = 40;
    pub const PIVOT_ROOT: usize = 41;
    pub const FSTATFS: usize = 44;
    pub const CHDIR: usize = 49;
    pub const FCHDIR: usize = 50;
    pub const OPENAT: usize = 56;
    pub const CLOSE: usize = 57;
    pub const PIPE2: usize = 59;
    pub const READ: usize = 63;
    pub const WRITE: usize = 64;
    pub const PREAD64: usize = 67;
    pub const SENDFILE: usize = 71;
    pub const PPOLL: usize = 73;
    pub const CAPGET: usize = 90;
    pub const CAPSET: usize = 91;
    pub const EXIT_GROUP: usize = 94;
    pub const UNSHARE: usize = 97;
    pub const KILL: usize = 129;
    pub const RT_SIGACTION: usize = 134;
    pub const RT_SIGPROCMASK: usize = 135;
    pub const SETPRIORITY: usize = 140;
    pub const SETRESUID: usize = 147;
    pub const SETRESGID: usize = 149;
    pub const SETPGID: usize = 154;
    pub const SETSID: usize = 157;
    pub const SETGROUPS: usize = 159;
    pub const SETHOSTNAME: usize = 161;
    pub const UMASK: usize = 166;
    pub const PRCTL: usize = 167;
    pub const GETUID: usize = 174;
    pub const GETGID: usize = 176;
    pub const SOCKET: usize = 198;
    pub const SHUTDOWN: usize = 210;
    pub const SENDMSG: usize = 211;
    pub const RECVMSG: usize = 212;
    pub const CLONE: usize = 220;
    pub const EXECVE: usize = 221;
    pub const MMAP: usize = 222;
    pub const PRLIMIT64: usize = 261;
    pub const SETNS: usize = 268;
    pub const SECCOMP: usize = 277;
    pub const STATX: usize = 291;
}

/// Numbers that every architecture shares, as all calls added since Linux 5.0 do.
mod shared {
    pub const OPEN_TREE: usize = 428;
    pub const MOVE_MOUNT: usize = 429;
    pub const FSOPEN: usize = 430;
    pub const FSCONFIG: usize = 431;
    pub const FSMOUNT: usize = 432;
    pub const CLONE3: usize = 435;
    pub const CLOSE_RANGE: usize = 436;
    pub const OPENAT2: usize = 437;
    pub const FACCESSAT2: usize = 439;
    pub const MOUNT_SETATTR: usize = 442;
    pub const LANDLOCK_CREATE_RULESET: usize = 444;
    pub const LANDLOCK_ADD_RULE: usize = 445;
    pub const LANDLOCK_RESTRICT_SELF: usize = 446;
}

/// One system call. The result is that of the kernel: a value, or an error number below zero.
///
/// # Safety
/// The arguments must be valid for the call, as its manual page describes.
#[cfg(target_arch = "x86_64")]
unsafe fn trap(number: usize, arguments: [usize; 6]) -> isize {
    let result: isize;
    // SAFETY: the System V convention of the syscall instruction: it clobbers rcx and r11 only.
    unsafe {
        core::arch::asm!(
            "syscall",
            inlateout("rax") number as isize => result,
            in("rdi") arguments[0],
            in("rsi") arguments[1],
            in("rdx") arguments[2],
            in("r10") arguments[3],
            in("r8") arguments[4],
            in("r9") arguments[5],
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    result
}

/// One system call, as above.
///
/// # Safety
/// The arguments must be valid for the call, as its manual page describes.
#[cfg(target_arch = "aarch64")]
unsafe fn trap(number: usize, arguments: [usize; 6]) -> isize {
    let result: isize;
    // SAFETY: the convention of svc 0: the number in x8, the result in x0, nothing else clobbered.
    unsafe {
        core::arch::asm!(
            "svc 0",
            in("x8") number,
            inlateout("x0") arguments[0] as isize => result,
            in("x1") arguments[1],
            in("x2") arguments[2],
            in("x3") arguments[3],
            in("x4") arguments[4],
            in("x5") arguments[5],
            options(nostack),
        );
    }
    result
}

fn checked(result: isize) -> Result<usize, Errno> {
    usize::try_from(result).map_err(|_| -result as Errno)
}

/// A system call; arguments that are not given are zero.
macro_rules! call {
    ($number:expr $(, $argument:expr)*) => {{
        let given = [$($argument as usize),*];
        let mut arguments = [0usize; 6];
        arguments[..given.len()].copy_from_slice(&given);
        // SAFETY: every pointer below comes from a reference or a `CStr` that outlives the call, with its length beside it
        // where the call takes one, or from the caller of a function that is unsafe for it; the rest are plain numbers.
        checked(unsafe { trap($number, arguments) })
    }};
}

/// A system call that is repeated when a signal interrupts it.
macro_rules! uninterrupted {
    ($($call:tt)*) => {
        loop {
            match call!($($call)*) {
                Err(EINTR) => {}
                outcome => break outcome,
            }
        }
    };
}

pub mod making;

/// Ends the process. If a filter refuses even that, an invalid instruction ends it: a loop would run forever, as a
/// process that nothing waits for.
pub fn exit(code: i32) -> ! {
    let _ = call!(number::EXIT_GROUP, code);
    // SAFETY: it does not return, and reads and writes nothing.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        core::arch::asm!("ud2", options(noreturn, nomem, nostack));
        #[cfg(target_arch = "aarch64")]
        core::arch::asm!("udf #0", options(noreturn, nomem, nostack));
    }
}

pub fn read(fd: i32, buffer: &mut [u8]) -> Result<usize, Errno> {
    uninterrupted!(number::READ, fd, buffer.as_mut_ptr(), buffer.len())
}

/// pread(2) into uninitialised memory; the result is the number of bytes that are written.
pub fn read_at(fd: i32, buffer: &mut [MaybeUninit<u8>], offset: usize) -> Result<usize, Errno> {
    uninterrupted!(number::PREAD64, fd, buffer.as_mut_ptr(), buffer.len(), offset)
}

/// The kinds of file that reading distinguishes (inode(7)).
pub enum What {
    /// A regular file, or a directory.
    Content,
    /// The device of `/dev/null`, which is empty.
    Nothing,
    /// A file whose opening or reading may block or have an effect.
    Special,
}

pub fn what_is(fd: i32) -> Result<What, Errno> {
    const STATX_TYPE: usize = 1;
    const MODE: usize = 28;
    const RDEV: usize = 128;
    // `struct statx` of linux/stat.h.
    let mut stat = [0_u8; 256];
    uninterrupted!(number::STATX, fd, c"".as_ptr(), AT_EMPTY_PATH, STATX_TYPE, stat.as_mut_ptr())?;
    let word = |at: usize| u32::from_ne_bytes([stat[at], stat[at + 1], stat[at + 2], stat[at + 3]]);
    let mode = u16::from_ne_bytes([stat[MODE], stat[MODE + 1]]);
    Ok(match mode & 0o170_000 {
        0o100_000 | 0o040_000 => What::Content,
        0o020_000 if (word(RDEV), word(RDEV + 4)) == (1, 3) => What::Nothing,
        _ => What::Special,
    })
}

/// The id of the mount that a path leads to.
pub fn mount_id(path: &CStr) -> Result<u64, Errno> {
    mount_id_at(AT_FDCWD, path, 0)
}

/// The id of the mount that a descriptor is in.
pub fn mount_id_of(fd: i32) -> Result<u64, Errno> {
    mount_id_at(fd, c"", AT_EMPTY_PATH)
}

fn mount_id_at(directory: i32, path: &CStr, flags: usize) -> Result<u64, Errno> {
    const STATX_MNT_ID: usize = 0x1000;
    // `struct statx` of linux/stat.h in words; `stx_mnt_id` is at its byte 144.
    const MNT_ID: usize = 18;
    let mut stat = [0_u64; 32];
    uninterrupted!(number::STATX, directory, path.as_ptr(), flags, STATX_MNT_ID, stat.as_mut_ptr())?;
    Ok(stat[MNT_ID])
}

/// The file system that a descriptor is in: its magic number, and the flags of the mount (`ST_*` of statfs(2)).
pub struct FileSystem {
    pub magic: u64,
    pub flags: u64,
}

pub fn file_system(fd: i32) -> Result<FileSystem, Errno> {
    // `struct statfs` of asm-generic/statfs.h in words, on 64-bit machines.
    const TYPE: usize = 0;
    const FLAGS: usize = 10;
    let mut stat = [0_u64; 15];
    uninterrupted!(number::FSTATFS, fd, stat.as_mut_ptr())?;
    Ok(FileSystem { magic: stat[TYPE], flags: stat[FLAGS] })
}

pub fn write(fd: i32, bytes: &[u8]) -> Result<usize, Errno> {
    uninterrupted!(number::WRITE, fd, bytes.as_ptr(), bytes.len())
}

pub fn close(fd: i32) {
    let _ = call!(number::CLOSE, fd);
}

pub fn close_range(first: u32, last: u32) -> Result<usize, Errno> {
    call!(shared::CLOSE_RANGE, first, last, 0)
}

pub fn close_on_exec_from(first: u32) -> Result<usize, Errno> {
    const CLOSE_RANGE_CLOEXEC: usize = 4;
    call!(shared::CLOSE_RANGE, first, u32::MAX, CLOSE_RANGE_CLOEXEC)
}

/// A close-on-exec copy of `fd` with a number of at least `least`.
pub fn duplicate_above(fd: i32, least: i32) -> Result<i32, Errno> {
    const F_DUPFD_CLOEXEC: usize = 1030;
    call!(number::FCNTL, fd, F_DUPFD_CLOEXEC, least).map(|fd| fd as i32)
}

/// Makes reads and writes on it block, for all processes that share the open file.
pub fn make_blocking(fd: i32) -> Result<(), Errno> {
    const F_GETFL: usize = 3;
    const F_SETFL: usize = 4;
    const O_NONBLOCK: usize = 0o4000;
    let flags = call!(number::FCNTL, fd, F_GETFL)?;
    if flags & O_NONBLOCK != 0 {
        call!(number::FCNTL, fd, F_SETFL, flags & !O_NONBLOCK)?;
    }
    Ok(())
}

/// Makes `to` a close-on-exec copy of `from`.
pub fn occupy(from: i32, to: i32) -> Result<usize, Errno> {
    call!(number::DUP3, from, to, O_CLOEXEC)
}

/// Makes `to` a copy of `from` that stays open over an exec.
pub fn duplicate_to(from: i32, to: i32) -> Result<usize, Errno> {
    call!(number::DUP3, from, to, 0)
}

pub fn pipe() -> Result<[i32; 2], Errno> {
    let mut ends = [0i32; 2];
    call!(number::PIPE2, ends.as_mut_ptr(), O_CLOEXEC)?;
    Ok(ends)
}

pub fn open(directory: i32, path: &CStr, flags: usize) -> Result<i32, Errno> {
    let opened: Result<usize, Errno> = uninterrupted!(number::OPENAT, directory, path.as_ptr(), flags | O_CLOEXEC, 0);
    opened.map(|fd| fd as i32)
}

/// Opens `path` with `root` as its root directory: no symbolic link and no `..` leads out of it (openat2(2)).
pub fn open_in_root(root: i32, path: &CStr) -> Result<i32, Errno> {
    const RESOLVE_IN_ROOT: u64 = 0x10;
    // The kernel refuses `..` while any directory of the machine is renamed, and another attempt succeeds.
    const ATTEMPTS: usize = 1024;
    let how = [(O_PATH | O_CLOEXEC) as u64, 0, RESOLVE_IN_ROOT];
    for _ in 0..ATTEMPTS {
        match call!(shared::OPENAT2, root, path.as_ptr(), how.as_ptr(), size_of_val(&how)) {
            Err(EINTR | EAGAIN) => {}
            opened => return opened.map(|fd| fd as i32),
        }
    }
    Err(EAGAIN)
}

pub fn setns(fd: i32, flag: usize) -> Result<usize, Errno> {
    call!(number::SETNS, fd, flag)
}

pub fn unshare(flags: usize) -> Result<usize, Errno> {
    call!(number::UNSHARE, flags)
}

/// A fork: 0 in the child, its pid in the parent.
pub fn fork(flags: usize) -> Result<usize, Errno> {
    call!(number::CLONE, flags | SIGCHLD)
}

/// A fork into a control group: 0 in the child, its pid in the parent. The child sends its parent the same signal as this
/// process (`CLONE_PARENT`). If `place` is not 0, the kernel writes the pid of the child there before the child runs.
pub fn fork_into(group: i32, place: usize) -> Result<usize, Errno> {
    const CLONE_PARENT_SETTID: u64 = 0x0010_0000;
    const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;
    // `struct clone_args` of linux/sched.h: flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls,
    // set_tid, set_tid_size, cgroup.
    let mut arguments = [0_u64; 11];
    let writes_pid = if place == 0 { 0 } else { CLONE_PARENT_SETTID };
    arguments[0] = CLONE_PARENT as u64 | CLONE_INTO_CGROUP | writes_pid;
    arguments[3] = place as u64;
    arguments[10] = group as u64;
    call!(shared::CLONE3, arguments.as_ptr(), size_of_val(&arguments))
}

/// Maps the first page of a file as shared memory.
pub fn map_start(fd: i32) -> Result<usize, Errno> {
    const PROT_READ: usize = 1;
    const PROT_WRITE: usize = 2;
    const MAP_SHARED: usize = 1;
    call!(number::MMAP, 0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
}

/// A fork. Before the child runs, the kernel writes its pid, as the parent sees it, to `place` (clone(2)).
pub fn fork_with_pid_in(flags: usize, place: usize) -> Result<usize, Errno> {
    const CLONE_PARENT_SETTID: usize = 0x0010_0000;
    call!(number::CLONE, flags | SIGCHLD | CLONE_PARENT_SETTID, 0, place)
}

pub fn kill(pid: usize, signal: usize) -> Result<usize, Errno> {
    call!(number::KILL, pid, signal)
}

pub fn set_undumpable() -> Result<usize, Errno> {
    set_dumpable_to(0)
}

pub fn set_dumpable() -> Result<usize, Errno> {
    set_dumpable_to(1)
}

fn set_dumpable_to(value: usize) -> Result<usize, Errno> {
    const PR_SET_DUMPABLE: usize = 4;
    call!(number::PRCTL, PR_SET_DUMPABLE, value, 0, 0, 0)
}

/// Sets the name of the process that `ps` shows.
pub fn set_name(name: &CStr) -> Result<usize, Errno> {
    const PR_SET_NAME: usize = 15;
    call!(number::PRCTL, PR_SET_NAME, name.as_ptr(), 0, 0, 0)
}

/// Waits, at most this long, until one of these is readable or at its end. Returns which of them are.
pub fn wait_readable(fds: [i32; 2], milliseconds: u32) -> Result<[bool; 2], Errno> {
    const POLLIN: u32 = 1;
    // struct pollfd: the descriptor, the events asked for in the low half of the second word, those seen in the high half.
    let mut polls = fds.map(|fd| [fd as u32, POLLIN]);
    let timeout = [u64::from(milliseconds / 1000), u64::from(milliseconds % 1000) * 1_000_000];
    uninterrupted!(number::PPOLL, polls.as_mut_ptr(), polls.len(), timeout.as_ptr(), 0, 8)?;
    Ok(polls.map(|[_, events]| events >> 16 != 0))
}

/// Waits, at most this long, until a message arrives or the other end is closed. Returns whether that has happened.
pub fn wait_for_message(fd: i32, milliseconds: u32) -> Result<bool, Errno> {
    const POLLIN: u32 = 1;
    let mut polls = [fd as u32, POLLIN];
    let timeout = [u64::from(milliseconds / 1000), u64::from(milliseconds % 1000) * 1_000_000];
    let ready = uninterrupted!(number::PPOLL, polls.as_mut_ptr(), 1, timeout.as_ptr(), 0, 8)?;
    Ok(ready != 0)
}

/// Refuses further messages of the other end, which gets `EPIPE`. Those that have arrived can still be received.
pub fn refuse_messages(socket: i32) -> Result<usize, Errno> {
    const SHUT_RD: usize = 0;
    call!(number::SHUTDOWN, socket, SHUT_RD)
}

/// Waits for a signal that ends the process.
pub fn pause() {
    let _ = call!(number::PPOLL, 0, 0, 0, 0, 8);
}

/// Sets the signal that this process gets when the thread of its parent ends.
pub fn set_death_signal(signal: usize) -> Result<usize, Errno> {
    const PR_SET_PDEATHSIG: usize = 1;
    call!(number::PRCTL, PR_SET_PDEATHSIG, signal, 0, 0, 0)
}

/// Keeps the capabilities over the change from uid 0 to another, until the next exec.
pub fn keep_capabilities() -> Result<usize, Errno> {
    const PR_SET_KEEPCAPS: usize = 8;
    call!(number::PRCTL, PR_SET_KEEPCAPS, 1, 0, 0, 0)
}

/// Keeps the capability over an exec by an ordinary user; it has to be inheritable.
pub fn raise_ambient(capability: usize) -> Result<usize, Errno> {
    const PR_CAP_AMBIENT: usize = 47;
    const PR_CAP_AMBIENT_RAISE: usize = 2;
    call!(number::PRCTL, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0)
}

pub fn clear_ambient() -> Result<usize, Errno> {
    const PR_CAP_AMBIENT: usize = 47;
    const PR_CAP_AMBIENT_CLEAR_ALL: usize = 4;
    call!(number::PRCTL, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
}

/// Whether an exec may give the capability to a program.
pub fn is_in_bounding_set(capability: usize) -> Result<bool, Errno> {
    const PR_CAPBSET_READ: usize = 23;
    call!(number::PRCTL, PR_CAPBSET_READ, capability, 0, 0, 0).map(|answer| answer != 0)
}

pub fn drop_from_bounding_set(capability: usize) -> Result<usize, Errno> {
    const PR_CAPBSET_DROP: usize = 24;
    call!(number::PRCTL, PR_CAPBSET_DROP, capability, 0, 0, 0)
}

/// Sets these secure bits beside those that are set (capabilities(7)).
pub fn add_securebits(bits: usize) -> Result<usize, Errno> {
    const PR_GET_SECUREBITS: usize = 27;
    const PR_SET_SECUREBITS: usize = 28;
    let now = call!(number::PRCTL, PR_GET_SECUREBITS, 0, 0, 0, 0)?;
    call!(number::PRCTL, PR_SET_SECUREBITS, now | bits, 0, 0, 0)
}

/// Makes every later exec ignore set-user-ID bits and file capabilities.
pub fn set_no_new_privileges() -> Result<usize, Errno> {
    const PR_SET_NO_NEW_PRIVS: usize = 38;
    call!(number::PRCTL, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
}

/// The limits of one resource; `u64::MAX` is no limit (getrlimit(2)).
#[derive(Default)]
#[repr(C)]
pub struct Limit {
    pub soft: u64,
    pub hard: u64,
}

/// The limits of this process.
pub fn limit(resource: usize) -> Result<Limit, Errno> {
    let mut limit = Limit::default();
    call!(number::PRLIMIT64, 0, resource, 0, core::ptr::from_mut(&mut limit))?;
    Ok(limit)
}

pub fn set_limit(resource: usize, limit: &Limit) -> Result<usize, Errno> {
    call!(number::PRLIMIT64, 0, resource, core::ptr::from_ref(limit), 0)
}

pub fn umask(mask: usize) -> Result<usize, Errno> {
    call!(number::UMASK, mask)
}

/// Sets the niceness of this process, from -20 to 19.
pub fn set_niceness(niceness: i32) -> Result<usize, Errno> {
    const PRIO_PROCESS: usize = 0;
    call!(number::SETPRIORITY, PRIO_PROCESS, 0, niceness)
}

/// The three sets of capabilities, in two words each (capget(2), version 3).
#[derive(Default)]
#[repr(C)]
pub struct Capabilities {
    pub effective: u32,
    pub permitted: u32,
    pub inheritable: u32,
}

/// `_LINUX_CAPABILITY_VERSION_3`, and the calling process.
const CAPABILITY_HEADER: [u32; 2] = [0x2008_0522, 0];

pub fn capabilities() -> Result<[Capabilities; 2], Errno> {
    let mut header = CAPABILITY_HEADER;
    let mut words = <[Capabilities; 2]>::default();
    call!(number::CAPGET, header.as_mut_ptr(), words.as_mut_ptr())?;
    Ok(words)
}

pub fn set_capabilities(words: &[Capabilities; 2]) -> Result<usize, Errno> {
    let mut header = CAPABILITY_HEADER;
    call!(number::CAPSET, header.as_mut_ptr(), words.as_ptr())
}

/// Installs a filter of system calls for this process.
///
/// # Safety
/// `program` points to this many instructions.
pub unsafe fn install_filter(program: *const u8, instructions: u16) -> Result<usize, Errno> {
    /// `struct sock_fprog` of linux/filter.h.
    #[repr(C)]
    struct Program {
        length: u16,
        instructions: *const u8,
    }
    const SECCOMP_SET_MODE_FILTER: usize = 1;
    let program = Program { length: instructions, instructions: program };
    call!(number::SECCOMP, SECCOMP_SET_MODE_FILTER, 0, core::ptr::from_ref(&program))
}

/// What a ruleset restricts: `struct landlock_ruleset_attr` of linux/landlock.h.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Ruleset {
    pub files: u64,
    pub ports: u64,
    pub scopes: u64,
}

/// An older kernel accepts what it does not know if that is 0.
pub fn create_ruleset(ruleset: &Ruleset) -> Result<i32, Errno> {
    call!(shared::LANDLOCK_CREATE_RULESET, core::ptr::from_ref(ruleset), size_of::<Ruleset>(), 0).map(|fd| fd as i32)
}

/// Allows these rights below the file or directory of a descriptor.
pub fn add_path_rule(ruleset: i32, rights: u64, place: i32) -> Result<usize, Errno> {
    /// `struct landlock_path_beneath_attr`, which is packed.
    #[repr(C, packed)]
    struct Rule {
        rights: u64,
        place: i32,
    }
    const LANDLOCK_RULE_PATH_BENEATH: usize = 1;
    let rule = Rule { rights, place };
    call!(shared::LANDLOCK_ADD_RULE, ruleset, LANDLOCK_RULE_PATH_BENEATH, &raw const rule, 0)
}

/// Allows these rights for a TCP port.
pub fn add_port_rule(ruleset: i32, rights: u64, port: u64) -> Result<usize, Errno> {
    const LANDLOCK_RULE_NET_PORT: usize = 2;
    let rule = [rights, port];
    call!(shared::LANDLOCK_ADD_RULE, ruleset, LANDLOCK_RULE_NET_PORT, rule.as_ptr(), 0)
}

pub fn restrict_self(ruleset: i32) -> Result<usize, Errno> {
    call!(shared::LANDLOCK_RESTRICT_SELF, ruleset, 0)
}

/// Whether this process may execute the file, as far as its mode says.
pub fn may_execute(path: &CStr) -> Result<usize, Errno> {
    const X_OK: usize = 1;
    const AT_EACCESS: usize = 0x200;
    uninterrupted!(shared::FACCESSAT2, AT_FDCWD, path.as_ptr(), X_OK, AT_EACCESS)
}

/// The signal dispositions that need no handler.
#[derive(Clone, Copy)]
pub enum Disposition {
    Default = 0,
    Ignore = 1,
}

pub fn set_disposition(signal: usize, disposition: Disposition) -> Result<usize, Errno> {
    // handler, flags, restorer, mask (x86-64); handler, flags, mask (aarch64): all zero but the first.
    let action = [disposition as usize, 0, 0, 0];
    call!(number::RT_SIGACTION, signal, action.as_ptr(), 0, 8)
}

pub fn unblock_all_signals() -> Result<usize, Errno> {
    const SIG_SETMASK: usize = 2;
    let mask = 0u64;
    call!(number::RT_SIGPROCMASK, SIG_SETMASK, core::ptr::from_ref(&mask), 0, 8)
}

pub fn getuid() -> usize {
    call!(number::GETUID).unwrap_or(0)
}

pub fn getgid() -> usize {
    call!(number::GETGID).unwrap_or(0)
}

pub fn setuid(id: usize) -> Result<usize, Errno> {
    call!(number::SETRESUID, id, id, id)
}

pub fn setgid(id: usize) -> Result<usize, Errno> {
    call!(number::SETRESGID, id, id, id)
}

pub fn setgroups(groups: &[u32]) -> Result<usize, Errno> {
    call!(number::SETGROUPS, groups.len(), groups.as_ptr())
}

/// Makes the process the leader of a new process group.
pub fn lead_group() -> Result<usize, Errno> {
    call!(number::SETPGID, 0, 0)
}

/// Makes the process the leader of a new session without a controlling terminal.
pub fn setsid() -> Result<usize, Errno> {
    call!(number::SETSID)
}

pub fn chdir(path: &CStr) -> Result<usize, Errno> {
    call!(number::CHDIR, path.as_ptr())
}

pub fn fchdir(fd: i32) -> Result<usize, Errno> {
    call!(number::FCHDIR, fd)
}

pub fn sethostname(name: &[u8]) -> Result<usize, Errno> {
    call!(number::SETHOSTNAME, name.as_ptr(), name.len())
}

pub fn socket(domain: usize, kind: usize, protocol: usize) -> Result<i32, Errno> {
    call!(number::SOCKET, domain, kind, protocol).map(|fd| fd as i32)
}

/// ioctl(2) over a structure that the kernel reads and writes.
///
/// # Safety
/// `T` must be the structure that `request` takes.
pub unsafe fn ioctl<T>(fd: i32, request: usize, argument: &mut T) -> Result<usize, Errno> {
    call!(number::IOCTL, fd, request, core::ptr::from_mut(argument))
}

/// sendmsg(2).
///
/// # Safety
/// Everything that `message` points to must be valid for sendmsg(2).
pub unsafe fn sendmsg<T>(fd: i32, message: &T) -> Result<usize, Errno> {
    const MSG_NOSIGNAL: usize = 0x4000;
    uninterrupted!(number::SENDMSG, fd, core::ptr::from_ref(message), MSG_NOSIGNAL)
}

/// recvmsg(2) with close-on-exec descriptors.
///
/// # Safety
/// Everything that `message` points to must be valid for recvmsg(2), and writable.
pub unsafe fn recvmsg<T>(fd: i32, message: &mut T) -> Result<usize, Errno> {
    const MSG_CMSG_CLOEXEC: usize = 0x4000_0000;
    uninterrupted!(number::RECVMSG, fd, core::ptr::from_mut(message), MSG_CMSG_CLOEXEC)
}

/// execve(2); returns only when it fails.
///
/// # Safety
/// `argv` and `envp` are NULL-terminated arrays of strings.
pub unsafe fn execve(path: &CStr, argv: *const *const u8, envp: *const *const u8) -> Errno {
    call!(number::EXECVE, path.as_ptr(), argv, envp).err().unwrap_or(0)
}

/// mount(2) for changes of propagation.
pub fn propagate(flags: usize) -> Result<usize, Errno> {
    call!(number::MOUNT, c"".as_ptr(), c"/".as_ptr(), c"".as_ptr(), flags, 0)
}

pub fn detach_working_directory_mount() -> Result<usize, Errno> {
    const MNT_DETACH: usize = 2;
    call!(number::UMOUNT2, c".".as_ptr(), MNT_DETACH)
}

/// pivot_root(".", "."), as its manual page recommends: the old root is stacked on the new and then detached.
pub fn pivot_to_working_directory() -> Result<usize, Errno> {
    call!(number::PIVOT_ROOT, c".".as_ptr(), c".".as_ptr())
}

/// A detached copy of the mount at `path`; if `recursive`, with the mounts below it.
pub fn open_tree(path: &CStr, recursive: bool) -> Result<i32, Errno> {
    clone_tree(AT_FDCWD, path, if recursive { AT_RECURSIVE } else { 0 })
}

/// A detached copy of the mount, from the directory of this descriptor on, with the mounts below it.
pub fn open_tree_of(directory: i32) -> Result<i32, Errno> {
    clone_tree(directory, c"", AT_EMPTY_PATH | AT_RECURSIVE)
}

/// A detached copy of the mount at a path below a directory, with the mounts below it. A symbolic link is not followed.
pub fn open_tree_below(directory: i32, path: &CStr) -> Result<i32, Errno> {
    const AT_SYMLINK_NOFOLLOW: usize = 0x100;
    clone_tree(directory, path, AT_SYMLINK_NOFOLLOW | AT_RECURSIVE)
}

fn clone_tree(directory: i32, path: &CStr, flags: usize) -> Result<i32, Errno> {
    const OPEN_TREE_CLONE: usize = 1;
    call!(shared::OPEN_TREE, directory, path.as_ptr(), OPEN_TREE_CLONE | O_CLOEXEC | flags).map(|fd| fd as i32)
}

/// Adds attributes (`MOUNT_ATTR_*`) to a detached mount, or to a tree of them.
pub fn add_mount_attributes(tree: i32, attributes: usize, recursive: bool) -> Result<usize, Errno> {
    let request = [attributes as u64, 0, 0, 0];
    let depth = if recursive { AT_RECURSIVE } else { 0 };
    call!(shared::MOUNT_SETATTR, tree, c"".as_ptr(), AT_EMPTY_PATH | depth, request.as_ptr(), size_of_val(&request))
}

/// Attaches a detached mount to `target`.
pub fn move_mount(tree: i32, target: i32) -> Result<usize, Errno> {
    const F_EMPTY_PATH: usize = 0x4;
    const T_EMPTY_PATH: usize = 0x40;
    call!(shared::MOVE_MOUNT, tree, c"".as_ptr(), target, c"".as_ptr(), F_EMPTY_PATH | T_EMPTY_PATH)
}

pub fn fsopen(kind: &CStr) -> Result<i32, Errno> {
    const FSOPEN_CLOEXEC: usize = 1;
    call!(shared::FSOPEN, kind.as_ptr(), FSOPEN_CLOEXEC).map(|fd| fd as i32)
}

/// Sets an option of a file system being made; an empty value is a flag.
pub fn fsconfig_option(fs: i32, key: &CStr, value: &CStr) -> Result<usize, Errno> {
    const FSCONFIG_SET_FLAG: usize = 0;
    const FSCONFIG_SET_STRING: usize = 1;
    if value.is_empty() {
        return call!(shared::FSCONFIG, fs, FSCONFIG_SET_FLAG, key.as_ptr(), 0, 0);
    }
    call!(shared::FSCONFIG, fs, FSCONFIG_SET_STRING, key.as_ptr(), value.as_ptr(), 0)
}

pub fn fsconfig_create(fs: i32) -> Result<usize, Errno> {
    const FSCONFIG_CMD_CREATE: usize = 6;
    call!(shared::FSCONFIG, fs, FSCONFIG_CMD_CREATE, 0, 0, 0)
}

/// A detached mount of the file system that was made.
pub fn fsmount(fs: i32, attributes: usize) -> Result<i32, Errno> {
    const FSMOUNT_CLOEXEC: usize = 1;
    call!(shared::FSMOUNT, fs, FSMOUNT_CLOEXEC, attributes).map(|fd| fd as i32)
}
