//! Options of sockets for which no crate has a type: setsockopt(2).

use std::{io, mem::size_of, os::fd::AsRawFd};

const LENGTH: libc::socklen_t = size_of::<libc::c_int>() as libc::socklen_t;

/// Sets an option whose value is a number.
pub fn set(socket: &impl AsRawFd, level: libc::c_int, option: libc::c_int, value: libc::c_int) -> io::Result<()> {
    // SAFETY: the kernel reads `LENGTH` bytes of `value`.
    let result = unsafe { libc::setsockopt(socket.as_raw_fd(), level, option, (&raw const value).cast(), LENGTH) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Reads an option whose value is a number.
pub fn get(socket: &impl AsRawFd, level: libc::c_int, option: libc::c_int) -> io::Result<libc::c_int> {
    let (mut value, mut length) = (0, LENGTH);
    // SAFETY: the kernel writes at most `length` bytes to `value`.
    let result =
        unsafe { libc::getsockopt(socket.as_raw_fd(), level, option, (&raw mut value).cast(), &raw mut length) };
    if result == 0 { Ok(value) } else { Err(io::Error::last_os_error()) }
}
