//! Mounts, and the file systems that they show.

use core::ffi::CStr;

use super::{
    errno::{EINTR, Errno},
    flags::{AT_EMPTY_PATH, AT_FDCWD, AT_RECURSIVE, O_CLOEXEC},
    number,
    trap::{call, checked, trap, uninterrupted},
};

/// The id of the mount that a path leads to.
pub fn mount_id(path: &CStr) -> Result<u64, Errno> {
    mount_id_at(AT_FDCWD, path, 0)
}

/// The id of the mount that a descriptor is in.
pub fn mount_id_of(fd: i32) -> Result<u64, Errno> {
    mount_id_at(fd, c"", AT_EMPTY_PATH)
}

fn mount_id_at(directory: i32, path: &CStr, flags: usize) -> Result<u64, Errno> {
    const STATX_MNT_ID: usize = 0x1000;
    // `struct statx` of linux/stat.h in words; `stx_mnt_id` is at its byte 144.
    const MNT_ID: usize = 18;
    let mut stat = [0_u64; 32];
    uninterrupted!(number::STATX, directory, path.as_ptr(), flags, STATX_MNT_ID, stat.as_mut_ptr())?;
    Ok(stat[MNT_ID])
}

/// mount(2) for changes of propagation.
pub fn propagate(flags: usize) -> Result<usize, Errno> {
    call!(number::MOUNT, c"".as_ptr(), c"/".as_ptr(), c"".as_ptr(), flags, 0)
}

pub fn detach_working_directory_mount() -> Result<usize, Errno> {
    const MNT_DETACH: usize = 2;
    call!(number::UMOUNT2, c".".as_ptr(), MNT_DETACH)
}

/// pivot_root(".", "."), as its manual page recommends: the old root is stacked on the new and then detached.
pub fn pivot_to_working_directory() -> Result<usize, Errno> {
    call!(number::PIVOT_ROOT, c".".as_ptr(), c".".as_ptr())
}

/// A detached copy of the mount at `path`; if `recursive`, with the mounts below it.
pub fn open_tree(path: &CStr, recursive: bool) -> Result<i32, Errno> {
    clone_tree(AT_FDCWD, path, if recursive { AT_RECURSIVE } else { 0 })
}

/// A detached copy of the mount, from the directory of this descriptor on, with the mounts below it.
pub fn open_tree_of(directory: i32) -> Result<i32, Errno> {
    clone_tree(directory, c"", AT_EMPTY_PATH | AT_RECURSIVE)
}

/// A detached copy of the mount, from the directory of this descriptor on, without what is mounted on it.
pub fn open_tree_without_mounts(directory: i32) -> Result<i32, Errno> {
    clone_tree(directory, c"", AT_EMPTY_PATH)
}

/// A detached copy of the mount at a path below a directory, with the mounts below it. A symbolic link is not followed.
pub fn open_tree_below(directory: i32, path: &CStr) -> Result<i32, Errno> {
    const AT_SYMLINK_NOFOLLOW: usize = 0x100;
    clone_tree(directory, path, AT_SYMLINK_NOFOLLOW | AT_RECURSIVE)
}

fn clone_tree(directory: i32, path: &CStr, flags: usize) -> Result<i32, Errno> {
    const OPEN_TREE_CLONE: usize = 1;
    call!(number::OPEN_TREE, directory, path.as_ptr(), OPEN_TREE_CLONE | O_CLOEXEC | flags).map(|fd| fd as i32)
}

/// Adds attributes (`MOUNT_ATTR_*`) to a detached mount, or to a tree of them.
pub fn add_mount_attributes(tree: i32, attributes: usize, recursive: bool) -> Result<usize, Errno> {
    let request = [attributes as u64, 0, 0, 0];
    let depth = if recursive { AT_RECURSIVE } else { 0 };
    call!(number::MOUNT_SETATTR, tree, c"".as_ptr(), AT_EMPTY_PATH | depth, request.as_ptr(), size_of_val(&request))
}

/// Attaches a detached mount to `target`.
pub fn move_mount(tree: i32, target: i32) -> Result<usize, Errno> {
    const F_EMPTY_PATH: usize = 0x4;
    const T_EMPTY_PATH: usize = 0x40;
    call!(number::MOVE_MOUNT, tree, c"".as_ptr(), target, c"".as_ptr(), F_EMPTY_PATH | T_EMPTY_PATH)
}

pub fn fsopen(kind: &CStr) -> Result<i32, Errno> {
    const FSOPEN_CLOEXEC: usize = 1;
    call!(number::FSOPEN, kind.as_ptr(), FSOPEN_CLOEXEC).map(|fd| fd as i32)
}

/// Sets an option of a file system being made; an empty value is a flag.
pub fn fsconfig_option(fs: i32, key: &CStr, value: &CStr) -> Result<usize, Errno> {
    const FSCONFIG_SET_FLAG: usize = 0;
    const FSCONFIG_SET_STRING: usize = 1;
    if value.is_empty() {
        return call!(number::FSCONFIG, fs, FSCONFIG_SET_FLAG, key.as_ptr(), 0, 0);
    }
    call!(number::FSCONFIG, fs, FSCONFIG_SET_STRING, key.as_ptr(), value.as_ptr(), 0)
}

pub fn fsconfig_create(fs: i32) -> Result<usize, Errno> {
    const FSCONFIG_CMD_CREATE: usize = 6;
    call!(number::FSCONFIG, fs, FSCONFIG_CMD_CREATE, 0, 0, 0)
}

/// A detached mount of the file system that was made.
pub fn fsmount(fs: i32, attributes: usize) -> Result<i32, Errno> {
    const FSMOUNT_CLOEXEC: usize = 1;
    call!(number::FSMOUNT, fs, FSMOUNT_CLOEXEC, attributes).map(|fd| fd as i32)
}

/// Sets an option of a file system being made to an open file.
pub fn fsconfig_fd(fs: i32, key: &CStr, fd: i32) -> Result<usize, Errno> {
    const FSCONFIG_SET_FD: usize = 5;
    call!(number::FSCONFIG, fs, FSCONFIG_SET_FD, key.as_ptr(), 0, fd)
}

/// Changes the propagation of one mount (mount_setattr(2)).
pub fn set_propagation(mount: i32, propagation: Propagation) -> Result<usize, Errno> {
    let request = [0, 0, propagation as u64, 0];
    call!(number::MOUNT_SETATTR, mount, c"".as_ptr(), AT_EMPTY_PATH, request.as_ptr(), size_of_val(&request))
}

/// Kinds of propagation: mount_namespaces(7).
#[derive(Clone, Copy)]
pub enum Propagation {
    /// Copies of a tree of mounts leave the mount out.
    Unbindable = 1 << 17,
    Private = 1 << 18,
}
