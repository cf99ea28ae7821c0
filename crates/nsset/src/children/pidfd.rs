//! Processes by descriptor: pidfd_open(2), pidfd_send_signal(2). A signal cannot reach another process that has got the
//! same pid.

use std::{
    os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd},
    ptr,
};

use nix::{errno::Errno, libc::c_int, sys::signal::Signal};

/// Sends a signal to exactly this process. It is no error if the process has ended.
pub fn kill(pidfd: &OwnedFd, signal: Signal) {
    let _ = send_signal(pidfd.as_fd(), signal as c_int);
}

/// Sends a signal to exactly this process (`pidfd_send_signal(2)`), even if its pid has been reused.
pub fn send_signal(pidfd: BorrowedFd<'_>, signal: c_int) -> Result<(), Errno> {
    let info = ptr::null::<libc::siginfo_t>();
    // SAFETY: plain numbers, and no siginfo, which the call allows.
    let sent = unsafe { libc::syscall(libc::SYS_pidfd_send_signal, pidfd.as_raw_fd(), signal, info, 0) };
    Errno::result(sent).map(drop)
}

/// A copy of a descriptor of the process, close-on-exec (`pidfd_getfd(2)`).
pub fn get_fd(pidfd: BorrowedFd<'_>, fd: RawFd) -> Result<OwnedFd, Errno> {
    // SAFETY: plain numbers.
    let copy = Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_getfd, pidfd.as_raw_fd(), fd, 0) })?;
    // SAFETY: the kernel made it for us, close-on-exec.
    Ok(unsafe { OwnedFd::from_raw_fd(copy as RawFd) })
}

/// A descriptor for a process (`pidfd_open(2)`). For a child that has not been reaped yet, it is certainly that child.
pub fn open(pid: i32) -> Result<OwnedFd, Errno> {
    // SAFETY: plain numbers.
    let fd = Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) })?;
    // SAFETY: the kernel made it for us, close-on-exec.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}
