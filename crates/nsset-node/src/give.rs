//! Descriptors that handles of Node.js take over. The number of one never crosses into JavaScript: a handle's `open` is called
//! from here. So each descriptor has an owner at every moment, also where a Worker is terminated.

use std::{
    mem::ManuallyDrop,
    os::fd::{AsRawFd, OwnedFd},
};

use napi::{
    Result,
    bindgen_prelude::{Function, JsObjectValue, Object},
};
use nix::fcntl::{FcntlArg, OFlag, fcntl};

/// Has a handle of Node.js (TCP, a pipe or UDP) take a descriptor, which the handle closes from then on. Returns what the
/// handle's `open` returns: 0, or a negative error number. A descriptor that the handle does not take is closed here.
///
/// The descriptor has to be in blocking mode, since that is how [`is_taken`] knows.
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

/// Whether a handle took the descriptor in a call that failed: JavaScript was terminated before the call or after it. The
/// first thing that libuv does to a descriptor that it takes is to end its blocking mode (`uv_tcp_open`, `uv_pipe_open`,
/// `uv_udp_open`).
fn is_taken(fd: &OwnedFd) -> bool {
    fcntl(fd, FcntlArg::F_GETFL).is_ok_and(|flags| OFlag::from_bits_retain(flags).contains(OFlag::O_NONBLOCK))
}
