//! System calls that make files and directories, and file systems of several layers.

use core::ffi::CStr;

use super::{AT_EMPTY_PATH, EINTR, Errno, O_CLOEXEC, checked, number, shared, trap};

/// The types of file that a mount distinguishes (inode(7)).
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum FileType {
    Directory,
    Other,
}

/// The type of an open file.
pub fn type_of(fd: i32) -> Result<FileType, Errno> {
    const STATX_TYPE: usize = 1;
    // `struct statx` of linux/stat.h in half words; `stx_mode` is at its byte 28.
    const MODE: usize = 14;
    let mut stat = [0_u16; 128];
    uninterrupted!(number::STATX, fd, c"".as_ptr(), AT_EMPTY_PATH, STATX_TYPE, stat.as_mut_ptr())?;
    Ok(if stat[MODE] & 0o170_000 == 0o040_000 { FileType::Directory } else { FileType::Other })
}

/// Lets files have the mode that they are made with.
pub fn clear_umask() {
    let _ = call!(number::UMASK, 0);
}

pub fn make_directory(directory: i32, name: &CStr, mode: usize) -> Result<usize, Errno> {
    call!(number::MKDIRAT, directory, name.as_ptr(), mode)
}

/// Creates a file, which must not exist, and opens it for writing.
pub fn create_file(directory: i32, name: &CStr, mode: usize) -> Result<i32, Errno> {
    const O_WRONLY: usize = 1;
    const O_CREAT: usize = 0o100;
    const O_EXCL: usize = 0o200;
    let flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
    call!(number::OPENAT, directory, name.as_ptr(), flags, mode).map(|fd| fd as i32)
}

pub fn make_symbolic_link(to: &CStr, directory: i32, name: &CStr) -> Result<usize, Errno> {
    call!(number::SYMLINKAT, to.as_ptr(), directory, name.as_ptr())
}

/// Copies at most `length` bytes of a file, from `offset` on, and moves the offset.
pub fn send_file(to: i32, from: i32, offset: &mut u64, length: usize) -> Result<usize, Errno> {
    uninterrupted!(number::SENDFILE, to, from, core::ptr::from_mut(offset), length)
}

/// Sets an option of a file system being made to an open file.
pub fn fsconfig_fd(fs: i32, key: &CStr, fd: i32) -> Result<usize, Errno> {
    const FSCONFIG_SET_FD: usize = 5;
    call!(shared::FSCONFIG, fs, FSCONFIG_SET_FD, key.as_ptr(), 0, fd)
}

/// Changes the propagation of one mount (mount_setattr(2)).
pub fn set_propagation(mount: i32, propagation: Propagation) -> Result<usize, Errno> {
    let request = [0, 0, propagation as u64, 0];
    call!(shared::MOUNT_SETATTR, mount, c"".as_ptr(), AT_EMPTY_PATH, request.as_ptr(), size_of_val(&request))
}

/// Kinds of propagation: mount_namespaces(7).
#[derive(Clone, Copy)]
pub enum Propagation {
    /// Copies of a tree of mounts leave the mount out.
    Unbindable = 1 << 17,
    Private = 1 << 18,
}
