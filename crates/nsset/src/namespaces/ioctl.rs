//! The ioctls of the descriptor of a namespace: ioctl_ns(2).

use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use nix::errno::Errno;

const NSIO: u8 = 0xb7;

mod raw {
    use super::NSIO;
    nix::ioctl_none!(get_userns, NSIO, 0x1);
    nix::ioctl_none!(get_parent, NSIO, 0x2);
    nix::ioctl_none!(get_nstype, NSIO, 0x3);
    nix::ioctl_read_bad!(get_owner_uid, nix::request_code_none!(NSIO, 0x4), libc::uid_t);
    nix::ioctl_read!(get_mntns_id, NSIO, 0x5, u64);
    nix::ioctl_read!(get_id, NSIO, 0xd, u64);
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

/// The user who created this user namespace.
pub fn owner_uid(user: BorrowedFd<'_>) -> Result<libc::uid_t, Errno> {
    let mut uid = 0;
    // SAFETY: the request writes one uid_t.
    unsafe { raw::get_owner_uid(user.as_raw_fd(), &raw mut uid) }.map(|_| uid)
}

/// The number that no other namespace has or will have, since Linux 6.18 (`ENOTTY` before).
pub fn unique_id(namespace: BorrowedFd<'_>) -> Result<u64, Errno> {
    let mut id = 0;
    // SAFETY: the request writes one u64.
    unsafe { raw::get_id(namespace.as_raw_fd(), &raw mut id) }.map(|_| id)
}

/// The number by which listmount(2) and statmount(2) know a mount namespace, since Linux 6.11.
pub fn mount_namespace_id(mounts: BorrowedFd<'_>) -> Result<u64, Errno> {
    let mut id = 0;
    // SAFETY: the request writes one u64.
    unsafe { raw::get_mntns_id(mounts.as_raw_fd(), &raw mut id) }.map(|_| id)
}
