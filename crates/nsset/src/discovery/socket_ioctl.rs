//! The network of a socket: `SIOCGSKNS` and `SO_NETNS_COOKIE`.

use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use nix::errno::Errno;

mod raw {
    nix::ioctl_none_bad!(get_network, 0x894C);
}

/// Opens the network of a socket. `EPERM` without CAP_NET_ADMIN in its owner, `ENOTTY` if the file is no socket.
pub fn network(socket: BorrowedFd<'_>) -> Result<OwnedFd, Errno> {
    // SAFETY: the request takes no argument and answers with a new descriptor, close-on-exec, ours alone.
    unsafe { raw::get_network(socket.as_raw_fd()).map(|fd| OwnedFd::from_raw_fd(fd)) }
}

/// A copy of a descriptor that belongs to other code.
pub fn copy(fd: RawFd) -> Result<OwnedFd, Errno> {
    // SAFETY: plain numbers.
    let copy = Errno::result(unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 0) })?;
    // SAFETY: the kernel made it for us, close-on-exec.
    Ok(unsafe { OwnedFd::from_raw_fd(copy) })
}

/// The number of the network of a socket, which no other network has had.
pub fn cookie(socket: BorrowedFd<'_>) -> Result<u64, Errno> {
    const SO_NETNS_COOKIE: libc::c_int = 71;
    let (mut cookie, mut length) = (0u64, size_of::<u64>() as libc::socklen_t);
    // SAFETY: a number of eight bytes, and its length.
    let got = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            SO_NETNS_COOKIE,
            (&raw mut cookie).cast(),
            &raw mut length,
        )
    };
    Errno::result(got).map(|_| cookie)
}
