//! Processes: their creation, state and end.

use core::ffi::CStr;

use super::{
    errno::Errno,
    number,
    trap::{call, checked, trap},
};

pub const CLONE_PARENT: usize = 0x8000;
pub const CLONE_NEWNS: usize = 0x2_0000;
pub const CLONE_NEWUSER: usize = 0x1000_0000;
pub const CLONE_NEWNET: usize = 0x4000_0000;
pub const SIGCHLD: usize = 17;

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
    call!(number::CLONE3, arguments.as_ptr(), size_of_val(&arguments))
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

/// Waits for a signal that ends the process.
pub fn pause() {
    let _ = call!(number::PPOLL, 0, 0, 0, 0, 8);
}

/// Sets the signal that this process gets when the thread of its parent ends.
pub fn set_death_signal(signal: usize) -> Result<usize, Errno> {
    const PR_SET_PDEATHSIG: usize = 1;
    call!(number::PRCTL, PR_SET_PDEATHSIG, signal, 0, 0, 0)
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

/// execve(2); returns only when it fails.
///
/// # Safety
/// `argv` and `envp` are NULL-terminated arrays of strings.
pub unsafe fn execve(path: &CStr, argv: *const *const u8, envp: *const *const u8) -> Errno {
    call!(number::EXECVE, path.as_ptr(), argv, envp).err().unwrap_or(0)
}
