//! Starts the helper without a fork: its cost does not grow with Node's heap.
//!
//! `clone(CLONE_VM | CLONE_VFORK)` makes a child that borrows our memory until it execs; our thread sleeps meanwhile.
//! The child runs on a stack of its own with every signal blocked, makes raw system calls only, and stands in no
//! namespace but ours: nobody inside a set may look into it. A process of the same user that sees our pid namespace may
//! still stop it, which `stopped.rs` undoes. Legacy clone(2), since clone3 is what Docker's seccomp profile refuses.

use std::{
    ffi::CStr,
    os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd},
    ptr,
    sync::{Arc, atomic::Ordering},
};

use libc::{c_char, c_int, c_void};
use nix::errno::Errno;
use nsset_helper::protocol::CONTROL_FD;

use crate::{children::reaper, children::stopped};

const STACK_SIZE: usize = 64 * 1024;

/// Why the helper did not start.
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

/// What the child needs, all of it prepared before it exists.
struct Orders<'a> {
    image: RawFd,
    argv: *const *const c_char,
    envp: *const *const c_char,
    /// Become descriptors 3, 4, … of the helper.
    fds: &'a [RawFd],
    /// Filled by the child before it gives up.
    failed: Option<LaunchError>,
}

/// Starts `image` with the vectors given; `fds` become its descriptors from [`CONTROL_FD`] on. The helper closes the rest.
pub fn launch(
    image: BorrowedFd<'_>,
    argv: &[&CStr],
    envp: &[&CStr],
    fds: &[BorrowedFd<'_>],
) -> Result<Process, LaunchError> {
    let argv = vector(argv);
    let envp = vector(envp);
    let fds: Vec<RawFd> = fds.iter().map(|fd| fd.as_fd().as_raw_fd()).collect();
    let mut orders =
        Orders { image: image.as_raw_fd(), argv: argv.as_ptr(), envp: envp.as_ptr(), fds: &fds, failed: None };
    let mut stack = vec![0u128; STACK_SIZE / size_of::<u128>()];
    let launch = stopped::Launch::new();

    let watch = stopped::watch(Arc::clone(&launch));
    let before = block_all_signals();
    // SAFETY: `child` runs on `stack`, which is 16-byte aligned and outlives it: CLONE_VFORK returns only after the
    // child has exec'd or exited. It reads `orders` and what that points to, all alive in this frame.
    let pid = unsafe {
        libc::clone(
            child,
            stack.as_mut_ptr_range().end.cast(),
            libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_PIDFD | libc::SIGCHLD,
            ptr::from_mut(&mut orders).cast(),
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
    let is_given_up = launch.is_given_up().then_some(LaunchError { syscall: "clone", errno: Errno::ETIMEDOUT });
    match orders.failed.or(is_given_up) {
        None => Ok(process),
        Some(error) => {
            reaper::reap(process.pidfd);
            Err(error)
        }
    }
}

fn vector(strings: &[&CStr]) -> Vec<*const c_char> {
    strings.iter().map(|string| string.as_ptr()).chain([ptr::null()]).collect()
}

/// The child, until it is the helper. `errno` is the thread-local of the thread that sleeps, so writing it harms nobody.
extern "C" fn child(orders: *mut c_void) -> c_int {
    // SAFETY: `launch` passes its `Orders`, and sleeps until we are done with them.
    let orders = unsafe { &mut *orders.cast::<Orders<'_>>() };
    let error = match arrange(orders.fds, orders.image) {
        Ok(image) => {
            // SAFETY: both vectors end with NULL. Returns only when it fails.
            unsafe {
                libc::syscall(libc::SYS_execveat, image, c"".as_ptr(), orders.argv, orders.envp, libc::AT_EMPTY_PATH);
            }
            LaunchError { syscall: "execveat", errno: Errno::last() }
        }
        Err(errno) => LaunchError { syscall: "dup3", errno },
    };
    orders.failed = Some(error);
    // SAFETY: ends this process only, without running anything of Node's.
    unsafe { libc::_exit(127) }
}

/// Puts the descriptors in their places. What lies among these goes by way of a copy above them, so that none overwrites
/// another or the image.
fn arrange(fds: &[RawFd], image: RawFd) -> Result<RawFd, Errno> {
    let above = CONTROL_FD + fds.len() as c_int;
    let image = lift(image, above)?;
    let mut lifted = [0; MAX_FDS];
    let lifted = lifted.get_mut(..fds.len()).ok_or(Errno::EMFILE)?;
    for (lifted, fd) in lifted.iter_mut().zip(fds) {
        *lifted = lift(*fd, above)?;
    }
    for (place, fd) in (CONTROL_FD..).zip(lifted.iter()) {
        // SAFETY: plain numbers; this process' own table of descriptors, a copy since no CLONE_FILES was asked.
        Errno::result(unsafe { libc::syscall(libc::SYS_dup3, *fd, place, 0) })?;
    }
    Ok(image)
}

/// The descriptor itself where it lies above already, as all but a few of a running Node do.
fn lift(fd: RawFd, least: c_int) -> Result<RawFd, Errno> {
    if fd >= least { Ok(fd) } else { duplicate_above(fd, least) }
}

/// The control socket, eight namespaces, PID 1's line, and a program's descriptors.
const MAX_FDS: usize = 300;

fn duplicate_above(fd: RawFd, least: c_int) -> Result<RawFd, Errno> {
    // SAFETY: plain numbers.
    let copy = unsafe { libc::syscall(libc::SYS_fcntl, fd, libc::F_DUPFD_CLOEXEC, least) };
    Errno::result(copy).map(|copy| copy as RawFd)
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

/// A close-on-exec copy of a descriptor that somebody else owns.
pub fn duplicate(fd: RawFd) -> Result<OwnedFd, Errno> {
    let copy = duplicate_above(fd, 0)?;
    // SAFETY: the kernel made it for us.
    Ok(unsafe { OwnedFd::from_raw_fd(copy) })
}
