//! Receives a message with descriptors beside it: `SCM_RIGHTS` of unix(7).
//!
//! By hand, because every descriptor that has arrived is ours to close, those of a message cut short for want of room in
//! our table too.

use std::{
    mem::size_of,
    os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd},
    ptr,
};

use nix::errno::Errno;
use nsset_helper::protocol::MAX_FDS_PER_MESSAGE;

const FLAGS: libc::c_int = libc::MSG_CMSG_CLOEXEC | libc::MSG_DONTWAIT;

/// What arrived.
#[derive(Debug)]
pub struct Received {
    /// The bytes of the message; none at its end.
    pub length: usize,
    pub fds: Vec<OwnedFd>,
    /// Whether descriptors were left out.
    pub is_truncated: bool,
}

/// Receives one message that is there, without a wait. Its descriptors are close-on-exec.
pub fn receive(socket: BorrowedFd<'_>, bytes: &mut [u8]) -> Result<Received, Errno> {
    let mut control = [0u64; 16];
    const { assert!(size_of::<[u64; 16]>() >= 16 + MAX_FDS_PER_MESSAGE * size_of::<RawFd>() + 8) };
    let mut part = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
    // SAFETY: all zeros is a valid header: null pointers and lengths of 0.
    let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
    header.msg_iov = &raw mut part;
    header.msg_iovlen = 1;
    header.msg_control = control.as_mut_ptr().cast();
    header.msg_controllen = size_of_val(&control) as _;
    // SAFETY: the header points to buffers of this frame and of the caller's, with their lengths.
    let length = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut header, FLAGS) };
    let length = Errno::result(length)? as usize;
    // SAFETY: the kernel has just filled the header in.
    let fds = unsafe { descriptors(&header) };
    Ok(Received { length, fds, is_truncated: header.msg_flags & libc::MSG_CTRUNC != 0 })
}

/// # Safety
/// The header is as recvmsg(2) left it, and this is the first and only look at its descriptors.
unsafe fn descriptors(header: &libc::msghdr) -> Vec<OwnedFd> {
    let mut fds = Vec::new();
    // SAFETY: the macros of cmsg(3) keep within the buffer; the data of SCM_RIGHTS are descriptors that the kernel has
    // put into our table and told nobody else about.
    unsafe {
        let mut control = libc::CMSG_FIRSTHDR(header);
        while !control.is_null() {
            if (*control).cmsg_level == libc::SOL_SOCKET && (*control).cmsg_type == libc::SCM_RIGHTS {
                let data = libc::CMSG_DATA(control);
                let count = ((*control).cmsg_len as usize - libc::CMSG_LEN(0) as usize) / size_of::<RawFd>();
                for index in 0..count {
                    let mut fd: RawFd = 0;
                    ptr::copy_nonoverlapping(
                        data.add(index * size_of::<RawFd>()),
                        (&raw mut fd).cast(),
                        size_of::<RawFd>(),
                    );
                    fds.push(OwnedFd::from_raw_fd(fd));
                }
            }
            control = libc::CMSG_NXTHDR(header, control);
        }
    }
    fds
}
