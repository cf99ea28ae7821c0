//! The system calls themselves, through the same binding and with nothing around them: the floor that the benchmarks
//! compare with. Not part of a released binary.

use std::os::fd::BorrowedFd;

use napi::{Error, Result};
use napi_derive::napi;
use nix::sched::{CloneFlags, setns};

/// One setns(2).
#[napi]
pub fn bare_setns(fd: i32, flag: u32) -> Result<()> {
    // SAFETY: the benchmark keeps the descriptor open meanwhile.
    let fd = unsafe { BorrowedFd::borrow_raw(fd) };
    setns(fd, CloneFlags::from_bits_retain(flag as i32)).map_err(|errno| Error::from_reason(errno.to_string()))
}
