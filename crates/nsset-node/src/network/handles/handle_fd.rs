//! The descriptor of a handle of Node.js, which the handle owns.

use std::os::fd::BorrowedFd;

use napi::bindgen_prelude::{JsObjectValue, Object};
use nix::errno::Errno;

/// The `fd` property of a handle without a descriptor.
const NONE: i32 = -1;

/// Borrows the descriptor of a handle for the duration of a call. `EBADF` if it has none.
pub fn fd_of<'a>(handle: &'a Object<'_>) -> nix::Result<BorrowedFd<'a>> {
    let fd: i32 = handle.get_named_property("fd").unwrap_or(NONE);
    if fd < 0 {
        return Err(Errno::EBADF);
    }
    // SAFETY: a handle reports only a descriptor that it owns. It closes the descriptor on this thread, in a later call.
    Ok(unsafe { BorrowedFd::borrow_raw(fd) })
}

/// Returns the status of a call like handles of Node.js: its return value, or a negative error number.
pub fn status(outcome: nix::Result<i32>) -> i32 {
    outcome.unwrap_or_else(|errno| -(errno as i32))
}
