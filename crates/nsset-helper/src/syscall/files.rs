//! Types and rights of files, and new files.

use core::ffi::CStr;

use super::{
    errno::{EINTR, Errno},
    flags::{AT_EMPTY_PATH, AT_FDCWD},
    number,
    trap::{call, checked, trap, uninterrupted},
};

/// The kinds of file that reading distinguishes (inode(7)).
pub enum What {
    /// A regular file, or a directory.
    Content,
    /// The device of `/dev/null`, which is empty.
    Nothing,
    /// A file whose opening or reading may block or have an effect.
    Special,
}

pub fn what_is(fd: i32) -> Result<What, Errno> {
    const STATX_TYPE: usize = 1;
    const MODE: usize = 28;
    const RDEV: usize = 128;
    // `struct statx` of linux/stat.h.
    let mut stat = [0_u8; 256];
    uninterrupted!(number::STATX, fd, c"".as_ptr(), AT_EMPTY_PATH, STATX_TYPE, stat.as_mut_ptr())?;
    let word = |at: usize| u32::from_ne_bytes([stat[at], stat[at + 1], stat[at + 2], stat[at + 3]]);
    let mode = u16::from_ne_bytes([stat[MODE], stat[MODE + 1]]);
    Ok(match mode & 0o170_000 {
        0o100_000 | 0o040_000 => What::Content,
        0o020_000 if (word(RDEV), word(RDEV + 4)) == (1, 3) => What::Nothing,
        _ => What::Special,
    })
}

/// The file system that a descriptor is in: its magic number, and the flags of the mount (`ST_*` of statfs(2)).
pub struct FileSystem {
    pub magic: u64,
    pub flags: u64,
}

pub fn file_system(fd: i32) -> Result<FileSystem, Errno> {
    // `struct statfs` of asm-generic/statfs.h in words, on 64-bit machines.
    const TYPE: usize = 0;
    const FLAGS: usize = 10;
    let mut stat = [0_u64; 15];
    uninterrupted!(number::FSTATFS, fd, stat.as_mut_ptr())?;
    Ok(FileSystem { magic: stat[TYPE], flags: stat[FLAGS] })
}

/// Whether this process may execute the file, as far as its mode says.
pub fn may_execute(path: &CStr) -> Result<usize, Errno> {
    const X_OK: usize = 1;
    const AT_EACCESS: usize = 0x200;
    uninterrupted!(number::FACCESSAT2, AT_FDCWD, path.as_ptr(), X_OK, AT_EACCESS)
}

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

pub fn make_directory(directory: i32, name: &CStr, mode: usize) -> Result<usize, Errno> {
    call!(number::MKDIRAT, directory, name.as_ptr(), mode)
}

/// Writes where the link leads to the buffer, without a byte at its end. Returns its length.
pub fn read_link(directory: i32, name: &CStr, buffer: &mut [u8]) -> Result<usize, Errno> {
    call!(number::READLINKAT, directory, name.as_ptr(), buffer.as_mut_ptr(), buffer.len())
}

pub fn make_symbolic_link(to: &CStr, directory: i32, name: &CStr) -> Result<usize, Errno> {
    call!(number::SYMLINKAT, to.as_ptr(), directory, name.as_ptr())
}
