//! Plain system calls through Node-API: the lower limits that the benchmarks compare with.
#![allow(
    clippy::indexing_slicing,
    reason = "the indexed bytes come from the kernel, and a panic only ends a benchmark"
)]

mod hold;
mod unshare;

use std::{
    ffi::CString,
    os::fd::{BorrowedFd, IntoRawFd, RawFd},
    ptr,
};

use napi::{Error, Result, bindgen_prelude::BufferSlice};
use napi_derive::napi;
use nix::{
    errno::Errno,
    sched::{CloneFlags, setns},
    sys::socket::{AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, socket},
};

/// Calls setns(2) once.
#[napi(catch_unwind)]
pub fn bare_setns(fd: i32, flag: u32) -> Result<()> {
    // SAFETY: the benchmark keeps the descriptor open during the call.
    let fd = unsafe { BorrowedFd::borrow_raw(fd) };
    setns(fd, CloneFlags::from_bits_retain(flag as i32)).map_err(napi_error)
}

/// Creates an rtnetlink(7) socket in the network of the calling thread. The benchmark closes it.
#[napi(catch_unwind)]
pub fn bare_rtnetlink() -> Result<i32> {
    let protocol = SockProtocol::NetlinkRoute;
    let fd = socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, protocol).map_err(napi_error)?;
    Ok(fd.into_raw_fd())
}

/// Lists all links. Returns the size of the answer in bytes.
#[napi(catch_unwind)]
pub fn bare_dump_links(socket: i32, mut buffer: BufferSlice<'_>) -> Result<u32> {
    converse(socket, &about_link(libc::RTM_GETLINK, libc::NLM_F_DUMP, 0, 0), &mut buffer).map_err(napi_error)
}

/// Brings a link up and receives the acknowledgement.
#[napi(catch_unwind)]
pub fn bare_bring_up(socket: i32, index: u32, mut buffer: BufferSlice<'_>) -> Result<u32> {
    let request = about_link(libc::RTM_SETLINK, libc::NLM_F_ACK, index, libc::IFF_UP as u32);
    converse(socket, &request, &mut buffer).map_err(napi_error)
}

/// Sends an rtnetlink request with `NLM_F_ACK`, and receives until the acknowledgement comes.
#[napi(catch_unwind)]
pub fn bare_request(socket: i32, request: BufferSlice<'_>, mut buffer: BufferSlice<'_>) -> Result<u32> {
    converse(socket, &request, &mut buffer).map_err(napi_error)
}

/// Starts `at_once` processes of a program with posix_spawn(3), outside, without arguments or environment, and waits until all
/// have ended.
#[napi(catch_unwind)]
pub fn bare_spawn(program: String, at_once: u32) -> Result<()> {
    let program = CString::new(program)?;
    let arguments = [program.as_ptr().cast_mut(), ptr::null_mut()];
    let children: Vec<_> = (0..at_once).map(|_| start(&program, &arguments)).collect();
    for child in children {
        let mut status = 0;
        // SAFETY: only this call waits for the child, and the status is a local variable.
        let waited = unsafe { libc::waitpid(child.map_err(napi_error)?, &raw mut status, 0) };
        Errno::result(waited).map_err(napi_error)?;
    }
    Ok(())
}

fn start(program: &CString, arguments: &[*mut libc::c_char; 2]) -> nix::Result<libc::pid_t> {
    let (mut child, environment) = (0, [ptr::null_mut()]);
    // SAFETY: the path and both lists end with a null and live until the call returns. Actions and attributes may be null.
    let error = unsafe {
        let (path, arguments) = (program.as_ptr(), arguments.as_ptr());
        libc::posix_spawn(&raw mut child, path, ptr::null(), ptr::null(), arguments, environment.as_ptr())
    };
    if error == 0 { Ok(child) } else { Err(Errno::from_raw(error)) }
}

const HEADER: usize = 16;

/// A `struct nlmsghdr` and a `struct ifinfomsg`.
fn about_link(kind: u16, flags: i32, index: u32, link_flags: u32) -> [u8; 2 * HEADER] {
    let mut request = [0; 2 * HEADER];
    request[..4].copy_from_slice(&(2 * HEADER as u32).to_ne_bytes());
    request[4..6].copy_from_slice(&kind.to_ne_bytes());
    request[6..8].copy_from_slice(&((libc::NLM_F_REQUEST | flags) as u16).to_ne_bytes());
    request[20..24].copy_from_slice(&index.to_ne_bytes());
    request[24..28].copy_from_slice(&link_flags.to_ne_bytes());
    // The mask of the flags to change.
    request[28..32].copy_from_slice(&link_flags.to_ne_bytes());
    request
}

fn converse(socket: RawFd, request: &[u8], buffer: &mut [u8]) -> nix::Result<u32> {
    send(socket, request, MsgFlags::empty())?;
    let mut received = 0;
    loop {
        let length = recv(socket, buffer, MsgFlags::empty())?;
        received += length as u32;
        if has_ended(&buffer[..length])? {
            return Ok(received);
        }
    }
}

/// Returns whether these messages contain the last one of an answer.
fn has_ended(mut messages: &[u8]) -> nix::Result<bool> {
    while let Some(header) = messages.first_chunk::<20>() {
        let word = |at: usize| u32::from_ne_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        match i32::from(header[4]) {
            libc::NLMSG_DONE => return Ok(true),
            libc::NLMSG_ERROR if word(16) == 0 => return Ok(true),
            libc::NLMSG_ERROR => return Err(Errno::from_raw((word(16) as i32).wrapping_neg())),
            _ => messages = messages.get(word(0).next_multiple_of(4) as usize..).unwrap_or_default(),
        }
    }
    Ok(false)
}

fn napi_error(errno: Errno) -> Error {
    Error::from_reason(errno.to_string())
}
