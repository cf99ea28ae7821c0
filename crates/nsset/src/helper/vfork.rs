//! Starts a child that shares our memory until it executes a program, so that its cost does not grow with the heap of
//! Node.js.
//!
//! `clone(CLONE_VM | CLONE_VFORK)` makes a child with our memory; our thread sleeps until the child executes a program
//! or ends. The child has its own stack, blocks every signal, and makes raw system calls only. A process of the same
//! user that sees our pid namespace may still stop it; `stopped.rs` then continues it. This is the legacy clone(2),
//! because the seccomp profile of Docker refuses clone3.

use std::{
    os::fd::{FromRawFd, OwnedFd},
    ptr,
    sync::{Arc, atomic::Ordering},
};

use libc::{c_int, c_void};
use nix::errno::Errno;

use crate::{children::reaper, children::stopped};

const STACK_SIZE: usize = 64 * 1024;

/// Why the child could not execute its program.
#[derive(Debug)]
pub struct LaunchError {
    pub syscall: &'static str,
    pub errno: Errno,
}

/// A child of this process.
#[derive(Debug)]
pub struct Process {
    pub pid: i32,
    pub pidfd: OwnedFd,
}

/// Starts a child that runs this function over these orders. It has executed a program or ended when this returns.
///
/// # Safety
/// The function accepts these orders; everything that it reads and writes lives until this returns; and it makes raw
/// system calls only: it allocates nothing, takes no lock, does not unwind, and ends in an exec or in _exit(2).
pub unsafe fn start(child: extern "C" fn(*mut c_void) -> c_int, orders: *mut c_void) -> Result<Process, LaunchError> {
    let mut stack = Vec::<u128>::with_capacity(STACK_SIZE / size_of::<u128>());
    let launch = stopped::Launch::new();

    let watch = stopped::watch(Arc::clone(&launch));
    let before = block_all_signals();
    // SAFETY: `child` runs on `stack`, which is 16-byte aligned and outlives it: CLONE_VFORK returns only after the child
    // has exec'd or exited. The caller guarantees the rest.
    let pid = unsafe {
        libc::clone(
            child,
            stack.spare_capacity_mut().as_mut_ptr_range().end.cast(),
            libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_PIDFD | libc::SIGCHLD,
            orders,
            launch.pidfd.as_ptr(),
        )
    };
    let errno = Errno::last();
    restore_signals(before);
    drop(watch);

    if pid < 0 {
        return Err(LaunchError { syscall: "clone", errno });
    }
    // SAFETY: the kernel created it for us, close-on-exec (CLONE_PIDFD, clone(2)).
    let process = Process { pid, pidfd: unsafe { OwnedFd::from_raw_fd(launch.pidfd.load(Ordering::Relaxed)) } };
    if launch.is_given_up() {
        reaper::reap(process.pidfd);
        return Err(LaunchError { syscall: "clone", errno: Errno::ETIMEDOUT });
    }
    Ok(process)
}

/// Blocks every signal, including those that the C library reserves for itself. The functions of the C library do not
/// block these.
fn block_all_signals() -> u64 {
    let all = u64::MAX;
    let mut before = 0u64;
    // SAFETY: two masks of the kernel's size, 8 bytes.
    unsafe { libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, &raw const all, &raw mut before, 8) };
    before
}

fn restore_signals(mask: u64) {
    // SAFETY: a mask of the kernel's size.
    unsafe { libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, &raw const mask, ptr::null_mut::<u64>(), 8) };
}
