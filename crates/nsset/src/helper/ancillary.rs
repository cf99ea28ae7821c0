//! Receives a message with descriptors and the pid of its sender: `SCM_RIGHTS` and `SCM_CREDENTIALS` of unix(7).
//!
//! This calls recvmsg(2) directly, because nsset has to close every descriptor that has arrived, also if the message
//! was truncated because the descriptor table was full.

use std::{
    mem::size_of,
    os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd},
};

use nix::{
    errno::Errno,
    sys::socket::{setsockopt, sockopt::PassCred},
};
use nsset_helper::protocol::MAX_FDS_PER_MESSAGE;

use crate::retry::uninterrupted;

const FLAGS: libc::c_int = libc::MSG_CMSG_CLOEXEC | libc::MSG_DONTWAIT;

/// A received message.
#[derive(Debug)]
pub struct Received {
    /// The number of bytes; 0 at the end.
    pub length: usize,
    pub fds: Vec<OwnedFd>,
    /// The pid of the sender in our pid namespace.
    pub sender: Option<i32>,
    /// Whether descriptors are missing.
    pub is_truncated: bool,
}

/// Makes the kernel attach the sender to each message. (The kernel also gives the socket a name when it sends. No
/// process can connect to it, since it does not listen.)
pub fn ask_for_senders(socket: &OwnedFd) -> Result<(), Errno> {
    setsockopt(&socket.as_fd(), PassCred, &true)
}

/// Receives one message without blocking. Its descriptors are close-on-exec.
pub fn receive(socket: BorrowedFd<'_>, bytes: &mut [u8]) -> Result<Received, Errno> {
    let mut control = [0u64; 16];
    const {
        let room = 16 + MAX_FDS_PER_MESSAGE * size_of::<RawFd>() + 8 + 16 + size_of::<libc::ucred>() + 8;
        assert!(size_of::<[u64; 16]>() >= room);
    };
    let mut part = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
    // SAFETY: all zeros is a valid header: null pointers and lengths of 0.
    let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
    header.msg_iov = &raw mut part;
    header.msg_iovlen = 1;
    header.msg_control = control.as_mut_ptr().cast();
    header.msg_controllen = size_of_val(&control) as _;
    // SAFETY: the header points to buffers of this frame and of the caller's, with their lengths.
    let receive = || Errno::result(unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut header, FLAGS) });
    let length = uninterrupted(receive)? as usize;
    let is_truncated = header.msg_flags & libc::MSG_CTRUNC != 0;
    let mut received = Received { length, fds: Vec::new(), sender: None, is_truncated };
    // SAFETY: the kernel has just filled the header in.
    unsafe { take_control(&header, &mut received) };
    Ok(received)
}

/// Reads the control messages.
///
/// # Safety
/// The header is as recvmsg(2) left it, and no other code takes its descriptors.
#[expect(clippy::cast_ptr_alignment, reason = "what is there is read as unaligned")]
unsafe fn take_control(header: &libc::msghdr, received: &mut Received) {
    // SAFETY: the macros of cmsg(3) keep within the buffer; each kind of data has the layout of unix(7), and the
    // descriptors of SCM_RIGHTS belong to us alone.
    unsafe {
        let mut control = libc::CMSG_FIRSTHDR(header);
        while !control.is_null() {
            let data = libc::CMSG_DATA(control);
            let length = ((*control).cmsg_len as usize).saturating_sub(libc::CMSG_LEN(0) as usize);
            match ((*control).cmsg_level, (*control).cmsg_type) {
                (libc::SOL_SOCKET, libc::SCM_RIGHTS) => {
                    for index in 0..length / size_of::<RawFd>() {
                        let fd = data.cast::<RawFd>().add(index).read_unaligned();
                        received.fds.push(OwnedFd::from_raw_fd(fd));
                    }
                }
                (libc::SOL_SOCKET, libc::SCM_CREDENTIALS) if length >= size_of::<libc::ucred>() => {
                    received.sender = Some(data.cast::<libc::ucred>().read_unaligned().pid);
                }
                _ => {}
            }
            control = libc::CMSG_NXTHDR(header, control);
        }
    }
}
