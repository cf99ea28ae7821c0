//! Descriptors and what is read and written through them.

use core::{ffi::CStr, mem::MaybeUninit};

use super::{
    errno::{EAGAIN, EINTR, Errno},
    flags::{O_CLOEXEC, O_PATH},
    number,
    trap::{call, checked, trap, uninterrupted},
};

pub fn read(fd: i32, buffer: &mut [u8]) -> Result<usize, Errno> {
    uninterrupted!(number::READ, fd, buffer.as_mut_ptr(), buffer.len())
}

/// pread(2) into uninitialised memory; the result is the number of bytes that are written.
pub fn read_at(fd: i32, buffer: &mut [MaybeUninit<u8>], offset: usize) -> Result<usize, Errno> {
    uninterrupted!(number::PREAD64, fd, buffer.as_mut_ptr(), buffer.len(), offset)
}

pub fn write(fd: i32, bytes: &[u8]) -> Result<usize, Errno> {
    uninterrupted!(number::WRITE, fd, bytes.as_ptr(), bytes.len())
}

pub fn close(fd: i32) {
    let _ = call!(number::CLOSE, fd);
}

pub fn close_range(first: u32, last: u32) -> Result<usize, Errno> {
    call!(number::CLOSE_RANGE, first, last, 0)
}

pub fn close_on_exec_from(first: u32) -> Result<usize, Errno> {
    const CLOSE_RANGE_CLOEXEC: usize = 4;
    call!(number::CLOSE_RANGE, first, u32::MAX, CLOSE_RANGE_CLOEXEC)
}

/// A close-on-exec copy of `fd` with a number of at least `least`.
pub fn duplicate_above(fd: i32, least: i32) -> Result<i32, Errno> {
    const F_DUPFD_CLOEXEC: usize = 1030;
    call!(number::FCNTL, fd, F_DUPFD_CLOEXEC, least).map(|fd| fd as i32)
}

/// Makes reads and writes on it block, for all processes that share the open file.
pub fn make_blocking(fd: i32) -> Result<(), Errno> {
    const F_GETFL: usize = 3;
    const F_SETFL: usize = 4;
    const O_NONBLOCK: usize = 0o4000;
    let flags = call!(number::FCNTL, fd, F_GETFL)?;
    if flags & O_NONBLOCK != 0 {
        call!(number::FCNTL, fd, F_SETFL, flags & !O_NONBLOCK)?;
    }
    Ok(())
}

/// Makes `to` a close-on-exec copy of `from`.
pub fn occupy(from: i32, to: i32) -> Result<usize, Errno> {
    call!(number::DUP3, from, to, O_CLOEXEC)
}

/// Makes `to` a copy of `from` that stays open over an exec.
pub fn duplicate_to(from: i32, to: i32) -> Result<usize, Errno> {
    call!(number::DUP3, from, to, 0)
}

pub fn pipe() -> Result<[i32; 2], Errno> {
    let mut ends = [0i32; 2];
    call!(number::PIPE2, ends.as_mut_ptr(), O_CLOEXEC)?;
    Ok(ends)
}

pub fn open(directory: i32, path: &CStr, flags: usize) -> Result<i32, Errno> {
    let opened: Result<usize, Errno> = uninterrupted!(number::OPENAT, directory, path.as_ptr(), flags | O_CLOEXEC, 0);
    opened.map(|fd| fd as i32)
}

/// Opens `path` with `root` as its root directory: no symbolic link and no `..` leads out of it (openat2(2)).
pub fn open_in_root(root: i32, path: &CStr) -> Result<i32, Errno> {
    const RESOLVE_IN_ROOT: u64 = 0x10;
    // The kernel refuses `..` while any directory of the machine is renamed, and another attempt succeeds.
    const ATTEMPTS: usize = 1024;
    let how = [(O_PATH | O_CLOEXEC) as u64, 0, RESOLVE_IN_ROOT];
    for _ in 0..ATTEMPTS {
        match call!(number::OPENAT2, root, path.as_ptr(), how.as_ptr(), size_of_val(&how)) {
            Err(EINTR | EAGAIN) => {}
            opened => return opened.map(|fd| fd as i32),
        }
    }
    Err(EAGAIN)
}

/// Waits, at most this long, until one of these is readable or at its end. Returns which of them are.
pub fn wait_readable(fds: [i32; 2], milliseconds: u32) -> Result<[bool; 2], Errno> {
    const POLLIN: u32 = 1;
    // struct pollfd: the descriptor, the events asked for in the low half of the second word, those seen in the high half.
    let mut polls = fds.map(|fd| [fd as u32, POLLIN]);
    let timeout = [u64::from(milliseconds / 1000), u64::from(milliseconds % 1000) * 1_000_000];
    uninterrupted!(number::PPOLL, polls.as_mut_ptr(), polls.len(), timeout.as_ptr(), 0, 8)?;
    Ok(polls.map(|[_, events]| events >> 16 != 0))
}

/// Creates a file, which must not exist, and opens it for writing.
pub fn create_file(directory: i32, name: &CStr, mode: usize) -> Result<i32, Errno> {
    const O_WRONLY: usize = 1;
    const O_CREAT: usize = 0o100;
    const O_EXCL: usize = 0o200;
    let flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
    call!(number::OPENAT, directory, name.as_ptr(), flags, mode).map(|fd| fd as i32)
}

/// Copies at most `length` bytes of a file, from `offset` on, and moves the offset.
pub fn send_file(to: i32, from: i32, offset: &mut u64, length: usize) -> Result<usize, Errno> {
    uninterrupted!(number::SENDFILE, to, from, core::ptr::from_mut(offset), length)
}
