//! Directories below `/proc`.

use std::{
    ffi::{CStr, CString},
    os::fd::{BorrowedFd, OwnedFd},
};

use nix::{
    dir::Dir,
    errno::Errno,
    fcntl::{OFlag, openat},
    sys::stat::Mode,
};

use crate::{kind::ByKind, retry::uninterrupted};

/// The inodes of the namespaces of a process.
pub(super) type Inodes = ByKind<Option<u64>>;

pub(super) fn directory(at: BorrowedFd<'_>, path: &CStr) -> Result<OwnedFd, Errno> {
    uninterrupted(|| openat(at, path, OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty()))
}

/// The entries of a directory that are numbers.
pub(super) fn numbers(at: BorrowedFd<'_>, path: &CStr) -> Result<Vec<i32>, Errno> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let mut entries = uninterrupted(|| Dir::openat(at, path, flags, Mode::empty()))?;
    let names = entries.iter().flatten();
    Ok(names.filter_map(|entry| entry.file_name().to_str().ok()?.parse().ok()).collect())
}

pub(super) fn decimal(number: i32) -> CString {
    CString::new(number.to_string()).unwrap_or_default()
}
