//! Paths of open descriptors, for system calls that take only a path.

use std::{
    os::fd::{AsRawFd, BorrowedFd},
    path::{Path, PathBuf},
};

use nix::{
    errno::Errno,
    fcntl::{AT_FDCWD, OFlag, openat},
    sys::stat::Mode,
    unistd::fchdir,
};

use crate::{proc, retry::uninterrupted};

/// Calls with a path that leads to the file of the descriptor, even if the file system has changed. In the mount
/// namespace of the process it needs no further descriptor.
pub(crate) fn with_path<T>(held: BorrowedFd<'_>, call: impl FnOnce(&Path) -> Result<T, Errno>) -> Result<T, Errno> {
    let below_proc = PathBuf::from(format!("thread-self/fd/{}", held.as_raw_fd()));
    if proc::is_at_usual_path() {
        return call(&Path::new("/proc").join(below_proc));
    }
    // In another mount namespace `/proc` may lead anywhere. A thread in one has its own working directory, so this
    // changes that of no other thread.
    let proc = proc::hold().map_err(|_| Errno::ENOENT)?;
    let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let before = uninterrupted(|| openat(AT_FDCWD, ".", flags, Mode::empty()))?;
    fchdir(proc)?;
    let outcome = call(&below_proc);
    fchdir(before)?;
    outcome
}
