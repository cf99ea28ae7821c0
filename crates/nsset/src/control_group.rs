//! A control group of version 2 that a process is started in: cgroups(7).

use std::{
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::{Path, PathBuf},
};

use nix::{
    errno::Errno,
    fcntl::{OFlag, open, openat},
    sys::{
        stat::Mode,
        statfs::{CGROUP2_SUPER_MAGIC, fstatfs},
    },
};

use crate::{
    error::{Result, SystemError},
    retry::uninterrupted,
};

const PROCS: &str = "cgroup.procs";

/// A group, held open. A process that writes to its `cgroup.procs` has the permissions of the process that opened it.
#[derive(Debug)]
pub struct ControlGroup {
    path: PathBuf,
    directory: OwnedFd,
    procs: OwnedFd,
}

impl ControlGroup {
    /// Opens the group of this directory.
    pub fn open(path: &Path) -> Result<Self> {
        let failed = |errno, syscall: &'static str| {
            SystemError::new(errno, syscall).path(path).hint(hint(errno).unwrap_or(NOT_A_GROUP))
        };
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let directory = uninterrupted(|| open(path, flags, Mode::empty())).map_err(|errno| failed(errno, "open"))?;
        let file_system = uninterrupted(|| fstatfs(&directory)).map_err(|errno| failed(errno, "fstatfs"))?;
        if file_system.filesystem_type() != CGROUP2_SUPER_MAGIC {
            return Err(failed(Errno::EINVAL, "fstatfs").into());
        }
        let path = path.join(PROCS);
        let procs = uninterrupted(|| openat(&directory, PROCS, OFlag::O_WRONLY | OFlag::O_CLOEXEC, Mode::empty()));
        let procs = procs.map_err(|errno| failed(errno, "open").path(&path))?;
        Ok(Self { path, directory, procs })
    }

    /// The path of its `cgroup.procs`.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn directory(&self) -> BorrowedFd<'_> {
        self.directory.as_fd()
    }

    pub fn procs(&self) -> BorrowedFd<'_> {
        self.procs.as_fd()
    }
}

const NOT_A_GROUP: &str = "the path has to be the directory of a control group of version 2, below a mount of cgroup2";

/// What to do about a group that a process cannot enter.
pub fn hint(errno: Errno) -> Option<&'static str> {
    match errno {
        Errno::EACCES | Errno::EPERM => Some(
            "starting a process in a control group needs write access to cgroup.procs of that group and of the closest \
             group that it shares with Node.js: start Node.js in a delegated group (systemd: Delegate=yes, or systemd-run \
             --user --scope -p Delegate=yes)",
        ),
        Errno::EBUSY => Some(
            "a control group that controls the resources of the groups below it (cgroup.subtree_control) cannot have \
             processes: use a group below it",
        ),
        Errno::ENODEV => Some("the control group has been removed"),
        Errno::EOPNOTSUPP => Some("the control group is threaded, or below a threaded one (cgroups(7))"),
        _ => None,
    }
}
