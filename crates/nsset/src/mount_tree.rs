//! Mounts by descriptor: open_tree(2), move_mount(2). Without a path there is nothing to resolve, and no `/proc` to need.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use nix::errno::Errno;

/// Binds what one descriptor holds onto what the other does.
pub fn bind(source: BorrowedFd<'_>, target: BorrowedFd<'_>) -> Result<(), Errno> {
    let tree = clone_tree(source)?;
    let flags = libc::MOVE_MOUNT_F_EMPTY_PATH | libc::MOVE_MOUNT_T_EMPTY_PATH;
    let (from, to) = (tree.as_fd().as_raw_fd(), target.as_raw_fd());
    // SAFETY: two open descriptors, and empty strings that are constants.
    let moved = unsafe { libc::syscall(libc::SYS_move_mount, from, c"".as_ptr(), to, c"".as_ptr(), flags) };
    Errno::result(moved).map(drop)
}

/// A detached mount of what the descriptor holds.
fn clone_tree(source: BorrowedFd<'_>) -> Result<OwnedFd, Errno> {
    let flags = libc::OPEN_TREE_CLONE | libc::OPEN_TREE_CLOEXEC | libc::AT_EMPTY_PATH as libc::c_uint;
    // SAFETY: an open descriptor, and an empty string that is a constant.
    let tree = unsafe { libc::syscall(libc::SYS_open_tree, source.as_raw_fd(), c"".as_ptr(), flags) };
    let tree = Errno::result(tree)? as RawFd;
    // SAFETY: the kernel made it for us, close-on-exec.
    Ok(unsafe { OwnedFd::from_raw_fd(tree) })
}
