//! The links of a directory like `/proc/thread-self/ns`, each of which names a namespace: `net:[4026531833]`.

use std::{
    ffi::CStr,
    os::fd::{AsRawFd, BorrowedFd},
};

use crate::kind::Kind;

/// Enough for the longest of them.
const LENGTH: usize = 64;

/// The inode that the link of this kind names; `None` where the kernel has no such kind.
pub fn read_inode(directory: BorrowedFd<'_>, kind: Kind) -> Option<u64> {
    let mut text = [0u8; LENGTH];
    let name = name(kind);
    // SAFETY: a string, and a buffer with its length. This calls readlinkat(2) directly, because the eight calls are
    // most of the cost of `current`.
    let length =
        unsafe { libc::readlinkat(directory.as_raw_fd(), name.as_ptr(), text.as_mut_ptr().cast(), text.len()) };
    let link = std::str::from_utf8(text.get(..usize::try_from(length).ok()?)?).ok()?;
    let (_, inode) = link.split_once(":[")?;
    inode.strip_suffix(']')?.parse().ok()
}

const fn name(kind: Kind) -> &'static CStr {
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
