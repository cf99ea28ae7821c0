//! Starts a child that borrows our memory until it executes a program, so that its cost does not grow with Node's heap.
//!
//! `clone(CLONE_VM | CLONE_VFORK)` makes a child with our memory; our thread sleeps until it execs or ends. The child runs on a
//! stack of its own with every signal blocked, and makes raw system calls only. A process of the same user that sees our pid
//! namespace may still stop it, which `stopped.rs` undoes. Legacy clone(2), since clone3 is what Docker's seccomp profile
//! refuses.

use std::{
    os::fd::{FromRawFd, OwnedFd},
    ptr,
    sync::{Arc, atomic::Ordering},
};

use libc::{c_int, c_void};
use nix::errno::Errno;

use crate::{children::reaper, children::stopped};

const STACK_SIZE: usize = 64 * 1024;

/// Why the child did not become what it was to be.
#[derive(Debug)]
pub struct LaunchError {
    pub syscall: &'static str,
    pub errno: Errno,
}

/// A child of ours.
#[derive(Debug)]
pub struct Process {
    pub pid: i32,
    pub pidfd: OwnedFd,
}

/// Starts a child that runs this function over these orders; it has exec'd or ended when this returns.
///
/// # Safety
/// The function takes such orders, all that it reads and writes lives until this returns, and it makes raw system calls only:
/// it allocates nothing, takes no lock, does not unwind, and ends in an exec or in _exit(2).
pub unsafe fn start(child: extern "C" fn(*mut c_void) -> c_int, orders: *mut c_void) -> Result<Process, LaunchError> {
    let mut stack = vec![0u128; STACK_SIZE / size_of::<u128>()];
    let launch = stopped::Launch::new();

    let watch = stopped::watch(Arc::clone(&launch));
    let before = block_all_signals();
    // SAFETY: `child` runs on `stack`, which is 16-byte aligned and outlives it: CLONE_VFORK returns only after the child
    // has exec'd or exited. The caller vouches for the rest.
    let pid = unsafe {
        libc::clone(
            child,
            stack.as_mut_ptr_range().end.cast(),
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
    // SAFETY: the kernel made it for us, close-on-exec (CLONE_PIDFD, clone(2)).
    let process = Process { pid, pidfd: unsafe { OwnedFd::from_raw_fd(launch.pidfd.load(Ordering::Relaxed)) } };
    if launch.is_given_up() {
        reaper::reap(process.pidfd);
        return Err(LaunchError { syscall: "clone", errno: Errno::ETIMEDOUT });
    }
    Ok(process)
}

/// Every signal, those that the C library keeps for itself included, which its own functions leave out.
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
