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

/// A directory with its entries that are numbers.
pub(super) fn list(at: BorrowedFd<'_>, path: &CStr) -> Result<(Dir, Vec<i32>), Errno> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let mut directory = uninterrupted(|| Dir::openat(at, path, flags, Mode::empty()))?;
    let names = directory.iter().flatten();
    let numbers = names.filter_map(|entry| entry.file_name().to_str().ok()?.parse().ok()).collect();
    Ok((directory, numbers))
}

/// The bytes of a small file, in one read; those of a longer file up to the length of the buffer.
pub(super) fn read<'buffer>(at: BorrowedFd<'_>, path: &CStr, buffer: &'buffer mut [u8]) -> &'buffer [u8] {
    let file = uninterrupted(|| openat(at, path, OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty()));
    let length = file.and_then(|file| uninterrupted(|| nix::unistd::read(&file, buffer))).unwrap_or(0);
    buffer.get(..length).unwrap_or_default()
}

/// Reads a file of any length into a buffer, whose contents it replaces. Files below `/proc` have no length to ask for.
pub(super) fn read_whole(at: BorrowedFd<'_>, path: &CStr, text: &mut Vec<u8>) -> Result<(), Errno> {
    let file = uninterrupted(|| openat(at, path, OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty()))?;
    let mut length = 0;
    loop {
        text.resize(text.len().max(length + CHUNK), 0);
        let free = text.get_mut(length..).unwrap_or_default();
        match uninterrupted(|| nix::unistd::read(&file, free))? {
            0 => break,
            count => length += count,
        }
    }
    text.truncate(length);
    Ok(())
}

/// The most that the kernel gives in one read of such a file is a page or a long line.
const CHUNK: usize = 8192;

pub(super) fn decimal(number: i32) -> CString {
    CString::new(number.to_string()).unwrap_or_default()
}
