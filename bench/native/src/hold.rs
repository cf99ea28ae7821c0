//! Opens and duplicates descriptors of namespaces.

use std::{ffi::CStr, os::fd::BorrowedFd};

use napi::Result;
use napi_derive::napi;
use nix::fcntl::{FcntlArg, OFlag, fcntl, open};
use nix::{sys::stat::Mode, unistd};

use super::napi_error;

const OWN: [&CStr; 8] = [
    c"/proc/thread-self/ns/cgroup",
    c"/proc/thread-self/ns/ipc",
    c"/proc/thread-self/ns/mnt",
    c"/proc/thread-self/ns/net",
    c"/proc/thread-self/ns/pid",
    c"/proc/thread-self/ns/time",
    c"/proc/thread-self/ns/user",
    c"/proc/thread-self/ns/uts",
];

/// Opens and closes the calling thread's namespaces of all kinds.
#[napi(catch_unwind)]
pub fn bare_open_own() -> Result<()> {
    let mut held = Vec::with_capacity(OWN.len());
    for path in OWN {
        held.push(open(path, OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty()).map_err(napi_error)?);
    }
    Ok(())
}

/// Duplicates a descriptor `times` times, and closes the duplicates.
#[napi(catch_unwind)]
pub fn bare_dup(fd: i32, times: u32) -> Result<()> {
    // SAFETY: the benchmark keeps the descriptor open during the call.
    let fd = unsafe { BorrowedFd::borrow_raw(fd) };
    let mut held = Vec::with_capacity(times as usize);
    for _ in 0..times {
        held.push(fcntl(fd, FcntlArg::F_DUPFD_CLOEXEC(0)).map_err(napi_error)?);
    }
    for fd in held {
        unistd::close(fd).map_err(napi_error)?;
    }
    Ok(())
}
