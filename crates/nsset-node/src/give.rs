//! Passes descriptors to handles of Node.js. JavaScript never gets the number of such a descriptor: this module calls the
//! handle's `open`. So each descriptor has an owner at every moment, even if a Worker is terminated.

use std::{
    mem::ManuallyDrop,
    os::fd::{AsRawFd, OwnedFd},
};

use napi::{
    Result,
    bindgen_prelude::{Function, JsObjectValue, Object},
};
use nix::fcntl::{FcntlArg, OFlag, fcntl};

/// Passes a descriptor to a handle of Node.js (TCP, a pipe or UDP), which then owns it. Returns the value of the handle's
/// `open`: 0, or a negative error number. If the handle does not take the descriptor, this function closes it.
///
/// The descriptor must be in blocking mode: [`is_taken`] depends on it.
pub fn give(handle: &Object<'_>, fd: OwnedFd) -> Result<i32> {
    let fd = ManuallyDrop::new(fd);
    let status = open(handle, fd.as_raw_fd());
    let taken = match &status {
        Ok(status) => *status == 0,
        Err(_) => is_taken(&fd),
    };
    if !taken {
        drop(ManuallyDrop::into_inner(fd));
    }
    status
}

fn open(handle: &Object<'_>, fd: i32) -> Result<i32> {
    let open: Function<'_, i32, i32> = handle.get_named_property("open")?;
    open.apply(*handle, fd)
}

/// Returns whether a handle took the descriptor in a call that failed because JavaScript was terminated before or after it. libuv
/// first sets a descriptor that it takes to non-blocking mode (`uv_tcp_open`, `uv_pipe_open`, `uv_udp_open`).
fn is_taken(fd: &OwnedFd) -> bool {
    fcntl(fd, FcntlArg::F_GETFL).is_ok_and(|flags| OFlag::from_bits_retain(flags).contains(OFlag::O_NONBLOCK))
}
