//! Mounts by descriptor: open_tree(2), move_mount(2), and umount2(2) of an open descriptor. No path is looked up that
//! another user could exchange.

use std::{
    ffi::{CStr, OsStr},
    os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd},
};

use nix::{
    errno::Errno,
    mount::{MntFlags, MsFlags, mount, umount2},
};

use crate::mounts::by_descriptor::with_path;

/// Binds the file of one descriptor onto the file of another, and returns a descriptor of the new mount.
pub fn bind(source: BorrowedFd<'_>, target: BorrowedFd<'_>) -> Result<OwnedFd, Errno> {
    attach(clone_tree(source, 0)?, target)
}

/// The same, with all mounts below it.
pub fn bind_all(source: BorrowedFd<'_>, target: BorrowedFd<'_>) -> Result<OwnedFd, Errno> {
    attach(clone_tree(source, libc::AT_RECURSIVE as libc::c_uint)?, target)
}

/// Unmounts the mount whose root is held.
pub fn detach(mount: BorrowedFd<'_>) -> Result<(), Errno> {
    // The link of the descriptor has to be followed; the kernel goes directly to the file.
    with_path(mount, |path| umount2(path, MntFlags::MNT_DETACH))
}

/// Unmounts the mount on a name in a directory that is held. This needs no further descriptor.
pub fn detach_below(directory: BorrowedFd<'_>, name: &OsStr) -> Result<(), Errno> {
    with_path(directory, |path| umount2(&path.join(name), MntFlags::MNT_DETACH | MntFlags::UMOUNT_NOFOLLOW))
}

/// Makes a mount and the mounts below it shared; `EINVAL` if the descriptor is not the root of a mount.
pub fn share_all(root: BorrowedFd<'_>) -> Result<(), Errno> {
    with_path(root, |path| mount(None::<&str>, path, None::<&str>, MsFlags::MS_SHARED | MsFlags::MS_REC, None::<&str>))
}

fn attach(tree: OwnedFd, target: BorrowedFd<'_>) -> Result<OwnedFd, Errno> {
    let flags = libc::MOVE_MOUNT_F_EMPTY_PATH | libc::MOVE_MOUNT_T_EMPTY_PATH;
    let (from, to) = (tree.as_fd().as_raw_fd(), target.as_raw_fd());
    // SAFETY: two open descriptors, and empty strings that are constants.
    let moved = unsafe { libc::syscall(libc::SYS_move_mount, from, c"".as_ptr(), to, c"".as_ptr(), flags) };
    Errno::result(moved).map(|_| tree)
}

/// A detached mount of the file at a path; if `recursive`, with the mounts below it.
pub fn clone_path(source: &CStr, recursive: bool) -> Result<OwnedFd, Errno> {
    open_tree(libc::AT_FDCWD, source, if recursive { libc::AT_RECURSIVE as libc::c_uint } else { 0 })
}

/// Adds attributes to a detached mount, and shows the owners of its files by the maps of a user namespace.
pub fn map_owners(tree: BorrowedFd<'_>, recursive: bool, attributes: u64, users: BorrowedFd<'_>) -> Result<(), Errno> {
    let request = libc::mount_attr {
        attr_set: attributes | libc::MOUNT_ATTR_IDMAP,
        attr_clr: 0,
        propagation: 0,
        userns_fd: users.as_raw_fd() as u64,
    };
    let depth = if recursive { libc::AT_RECURSIVE } else { 0 };
    let flags = (libc::AT_EMPTY_PATH | depth) as libc::c_uint;
    let (tree, size) = (tree.as_raw_fd(), size_of_val(&request));
    // SAFETY: two open descriptors, an empty string that is a constant, and the structure with its size.
    let set = unsafe { libc::syscall(libc::SYS_mount_setattr, tree, c"".as_ptr(), flags, &raw const request, size) };
    Errno::result(set).map(drop)
}

/// A detached mount of the file of the descriptor.
fn clone_tree(source: BorrowedFd<'_>, further: libc::c_uint) -> Result<OwnedFd, Errno> {
    open_tree(source.as_raw_fd(), c"", libc::AT_EMPTY_PATH as libc::c_uint | further)
}

fn open_tree(directory: RawFd, path: &CStr, further: libc::c_uint) -> Result<OwnedFd, Errno> {
    let flags = libc::OPEN_TREE_CLONE | libc::OPEN_TREE_CLOEXEC | further;
    // SAFETY: an open descriptor or AT_FDCWD, and a string that outlives the call.
    let tree = unsafe { libc::syscall(libc::SYS_open_tree, directory, path.as_ptr(), flags) };
    let tree = Errno::result(tree)? as RawFd;
    // SAFETY: the kernel made it for us, close-on-exec.
    Ok(unsafe { OwnedFd::from_raw_fd(tree) })
}
