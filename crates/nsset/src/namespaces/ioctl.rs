//! The ioctls of the descriptor of a namespace: ioctl_ns(2).

use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use nix::errno::Errno;

const NSIO: u8 = 0xb7;

mod raw {
    use super::NSIO;
    nix::ioctl_none!(get_userns, NSIO, 0x1);
    nix::ioctl_none!(get_parent, NSIO, 0x2);
    nix::ioctl_none!(get_nstype, NSIO, 0x3);
}

/// The user namespace that owns this one.
pub fn owner(namespace: BorrowedFd<'_>) -> Result<OwnedFd, Errno> {
    // SAFETY: the request takes no argument and answers with a new descriptor, close-on-exec, ours alone.
    unsafe { raw::get_userns(namespace.as_raw_fd()).map(|fd| OwnedFd::from_raw_fd(fd)) }
}

/// The namespace above this one.
pub fn parent(namespace: BorrowedFd<'_>) -> Result<OwnedFd, Errno> {
    // SAFETY: the request takes no argument and answers with a new descriptor, close-on-exec, ours alone.
    unsafe { raw::get_parent(namespace.as_raw_fd()).map(|fd| OwnedFd::from_raw_fd(fd)) }
}

/// The `CLONE_NEW*` flag of the namespace's kind.
pub fn flag(namespace: BorrowedFd<'_>) -> Result<u32, Errno> {
    // SAFETY: the request takes no argument and answers with a number.
    unsafe { raw::get_nstype(namespace.as_raw_fd()).map(|flag| flag as u32) }
}
