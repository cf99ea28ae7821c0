//! Starts the helper without a fork, so that its cost does not grow with the heap of Node.js. The child shares our
//! memory until it executes the helper, and is in our namespaces only.

use std::{
    ffi::CStr,
    os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd},
    ptr,
};

use libc::{c_char, c_int, c_void};
use nix::errno::Errno;
use nsset_helper::protocol::CONTROL_FD;

use crate::{
    children::reaper,
    helper::vfork::{self, LaunchError, Process},
};

/// The data for the child, prepared before it is created.
struct Orders<'a> {
    image: RawFd,
    argv: *const *const c_char,
    envp: *const *const c_char,
    /// They become descriptors 3, 4, … of the helper.
    fds: &'a [RawFd],
    /// Set by the child if it fails.
    failed: Option<LaunchError>,
}

/// Starts `image` with these vectors. `fds` become its descriptors from [`CONTROL_FD`] on, and the helper closes all
/// others.
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
    // SAFETY: `child` takes `Orders`, makes raw system calls only, and ends in execveat(2) or _exit(2).
    let process = unsafe { vfork::start(child, ptr::from_mut(&mut orders).cast()) }?;
    match orders.failed {
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

/// The child, until it executes the helper. `errno` belongs to the thread that sleeps, so the child may write it.
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
    // SAFETY: ends this process only, and runs no code of Node.js.
    unsafe { libc::_exit(127) }
}

/// Gives the descriptors their numbers. A descriptor in this range is first copied above it, so that none overwrites
/// another one or the image.
fn arrange(fds: &[RawFd], image: RawFd) -> Result<RawFd, Errno> {
    let above = CONTROL_FD + fds.len() as c_int;
    let image = lift(image, above)?;
    let mut lifted = [0; MAX_FDS];
    let lifted = lifted.get_mut(..fds.len()).ok_or(Errno::EMFILE)?;
    for (lifted, fd) in lifted.iter_mut().zip(fds) {
        *lifted = lift(*fd, above)?;
    }
    for (place, fd) in (CONTROL_FD..).zip(lifted.iter()) {
        // SAFETY: plain numbers; without CLONE_FILES the child has its own copy of the descriptor table.
        Errno::result(unsafe { libc::syscall(libc::SYS_dup3, *fd, place, 0) })?;
    }
    Ok(image)
}

/// The descriptor itself if its number is high enough, as almost all of a running Node.js are.
fn lift(fd: RawFd, least: c_int) -> Result<RawFd, Errno> {
    if fd >= least { Ok(fd) } else { duplicate_above(fd, least) }
}

/// The control socket, eight namespaces, the socket of PID 1, and the descriptors of a program.
const MAX_FDS: usize = 300;

fn duplicate_above(fd: RawFd, least: c_int) -> Result<RawFd, Errno> {
    // SAFETY: plain numbers.
    let copy = unsafe { libc::syscall(libc::SYS_fcntl, fd, libc::F_DUPFD_CLOEXEC, least) };
    Errno::result(copy).map(|copy| copy as RawFd)
}

/// A close-on-exec copy of a descriptor that other code owns.
pub fn duplicate(fd: RawFd) -> Result<OwnedFd, Errno> {
    let copy = duplicate_above(fd, 0)?;
    // SAFETY: the kernel made it for us.
    Ok(unsafe { OwnedFd::from_raw_fd(copy) })
}
