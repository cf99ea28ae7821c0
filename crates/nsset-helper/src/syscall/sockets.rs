//! Sockets and their messages.

use core::ffi::CStr;

use super::{
    errno::{EINTR, ENAMETOOLONG, Errno},
    number,
    trap::{call, checked, trap, uninterrupted},
};

/// Waits, at most this long, until a message arrives or the other end is closed. Returns whether that has happened.
pub fn wait_for_message(fd: i32, milliseconds: u32) -> Result<bool, Errno> {
    const POLLIN: u32 = 1;
    let mut polls = [fd as u32, POLLIN];
    let timeout = [u64::from(milliseconds / 1000), u64::from(milliseconds % 1000) * 1_000_000];
    let ready = uninterrupted!(number::PPOLL, polls.as_mut_ptr(), 1, timeout.as_ptr(), 0, 8)?;
    Ok(ready != 0)
}

/// Refuses further messages of the other end, which gets `EPIPE`. Those that have arrived can still be received.
pub fn refuse_messages(socket: i32) -> Result<usize, Errno> {
    const SHUT_RD: usize = 0;
    call!(number::SHUTDOWN, socket, SHUT_RD)
}

pub fn socket(domain: usize, kind: usize, protocol: usize) -> Result<i32, Errno> {
    call!(number::SOCKET, domain, kind, protocol).map(|fd| fd as i32)
}

/// Two connected unix sockets that keep packets apart.
pub fn socket_pair() -> Result<[i32; 2], Errno> {
    const AF_UNIX: usize = 1;
    const SOCK_SEQPACKET: usize = 5;
    const SOCK_CLOEXEC: usize = 0o2_000_000;
    let mut pair = [0_i32; 2];
    call!(number::SOCKETPAIR, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.as_mut_ptr())?;
    Ok(pair)
}

/// Binds a unix socket to a path: unix(7).
pub fn bind_to_path(socket: i32, path: &CStr) -> Result<usize, Errno> {
    const AF_UNIX: u16 = 1;
    /// `struct sockaddr_un`.
    #[repr(C)]
    struct Address {
        family: u16,
        path: [u8; 108],
    }
    let mut address = Address { family: AF_UNIX, path: [0; 108] };
    let text = path.to_bytes_with_nul();
    address.path.get_mut(..text.len()).ok_or(ENAMETOOLONG)?.copy_from_slice(text);
    call!(number::BIND, socket, core::ptr::from_ref(&address), size_of::<u16>() + text.len())
}

/// ioctl(2) over a structure that the kernel reads and writes.
///
/// # Safety
/// `T` must be the structure that `request` takes.
pub unsafe fn ioctl<T>(fd: i32, request: usize, argument: &mut T) -> Result<usize, Errno> {
    call!(number::IOCTL, fd, request, core::ptr::from_mut(argument))
}

/// A part of a message: `struct iovec` (iovec(3type)).
#[repr(C)]
pub struct Part {
    pub base: *mut u8,
    pub length: usize,
}

/// `struct msghdr` (recvmsg(2)) on 64-bit machines.
#[repr(C)]
pub struct MessageHeader {
    name: usize,
    name_length: usize,
    parts: *const Part,
    part_count: usize,
    control: *mut u8,
    control_length: usize,
    flags: i32,
}

impl MessageHeader {
    pub fn new(parts: &[Part]) -> Self {
        Self {
            name: 0,
            name_length: 0,
            parts: parts.as_ptr(),
            part_count: parts.len(),
            control: core::ptr::null_mut(),
            control_length: 0,
            flags: 0,
        }
    }

    /// With control messages, or with room for them.
    #[must_use]
    pub fn with_control(self, control: *mut u8, length: usize) -> Self {
        Self { control, control_length: length, ..self }
    }

    /// What the kernel noted about a message that was received (`MSG_*`).
    pub const fn flags(&self) -> i32 {
        self.flags
    }
}

/// sendmsg(2).
///
/// # Safety
/// Everything that `message` points to must be valid, and is only read.
pub unsafe fn sendmsg(fd: i32, message: &MessageHeader) -> Result<usize, Errno> {
    const MSG_NOSIGNAL: usize = 0x4000;
    uninterrupted!(number::SENDMSG, fd, core::ptr::from_ref(message), MSG_NOSIGNAL)
}

/// recvmsg(2) with close-on-exec descriptors.
///
/// # Safety
/// Everything that `message` points to must be valid and writable.
pub unsafe fn recvmsg(fd: i32, message: &mut MessageHeader) -> Result<usize, Errno> {
    const MSG_CMSG_CLOEXEC: usize = 0x4000_0000;
    uninterrupted!(number::RECVMSG, fd, core::ptr::from_mut(message), MSG_CMSG_CLOEXEC)
}
