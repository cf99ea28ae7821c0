//! The descriptor of a handle of Node.js, which the handle owns.

use std::os::fd::BorrowedFd;

use napi::bindgen_prelude::{JsObjectValue, Object};
use nix::errno::Errno;

/// What a handle without a descriptor says of itself.
const NONE: i32 = -1;

/// Its descriptor for as long as this call lasts; `EBADF` if it has none.
pub fn fd_of<'a>(handle: &'a Object<'_>) -> nix::Result<BorrowedFd<'a>> {
    let fd: i32 = handle.get_named_property("fd").unwrap_or(NONE);
    if fd < 0 {
        return Err(Errno::EBADF);
    }
    // SAFETY: a handle has a descriptor only while it owns it. It closes it on this thread, in a later call.
    Ok(unsafe { BorrowedFd::borrow_raw(fd) })
}

/// As handles of Node.js tell of what became of a call: what it returned, or a negative error number.
pub fn status(outcome: nix::Result<i32>) -> i32 {
    outcome.unwrap_or_else(|errno| -(errno as i32))
}
