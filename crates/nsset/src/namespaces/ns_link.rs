//! The links of a directory like `/proc/thread-self/ns`, each of which names a namespace: `net:[4026531833]`.

use std::{
    ffi::CStr,
    os::fd::{AsRawFd, BorrowedFd},
};

use nix::errno::Errno;

use crate::kind::Kind;

/// Enough for the longest of them.
const LENGTH: usize = 64;

/// The inode that the link of this kind names; `None` where the kernel has no such kind.
pub fn read_inode(directory: BorrowedFd<'_>, kind: Kind) -> Option<u64> {
    read(directory, name(kind)).ok().map(|(_, inode)| inode)
}

/// The kind and the inode that a link names; `EINVAL` if it names no namespace.
pub fn read(directory: BorrowedFd<'_>, name: &CStr) -> Result<(Kind, u64), Errno> {
    let mut text = [0u8; LENGTH];
    // SAFETY: a string, and a buffer with its length. This calls readlinkat(2) directly, because the eight calls are
    // most of the cost of `current`.
    let length =
        unsafe { libc::readlinkat(directory.as_raw_fd(), name.as_ptr(), text.as_mut_ptr().cast(), text.len()) };
    let length = Errno::result(length)?;
    text.get(..length as usize).and_then(parse).ok_or(Errno::EINVAL)
}

/// Reads `net:[4026531833]`.
pub fn parse(link: &[u8]) -> Option<(Kind, u64)> {
    let (kind, inode) = std::str::from_utf8(link).ok()?.strip_suffix(']')?.split_once(":[")?;
    Some((Kind::from_name(kind)?, inode.parse().ok()?))
}

/// The link for the namespace of the next children, see [`Kind::unshared_name`].
pub const fn unshared_name(kind: Kind) -> &'static CStr {
    match kind {
        Kind::Pid => c"pid_for_children",
        Kind::Time => c"time_for_children",
        other => name(other),
    }
}

pub const fn name(kind: Kind) -> &'static CStr {
    match kind {
        Kind::Cgroup => c"cgroup",
        Kind::Ipc => c"ipc",
        Kind::Mnt => c"mnt",
        Kind::Net => c"net",
        Kind::Pid => c"pid",
        Kind::Time => c"time",
        Kind::User => c"user",
        Kind::Uts => c"uts",
    }
}
