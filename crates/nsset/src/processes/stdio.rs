//! The descriptors of a program, opened before it starts.

use std::{
    fs::OpenOptions,
    os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd},
};

use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};

use crate::{
    error::{Result, SystemError, last_errno},
    helper::launch,
};

/// The source of one descriptor of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stdio {
    /// A stream socket, whose other end is returned with the child.
    Pipe,
    /// `/dev/null` of the caller for the first three; the others are closed.
    Ignore,
    /// A descriptor of the caller.
    Inherit(RawFd),
}

/// The program's ends, and ours.
#[derive(Debug, Default)]
pub struct OpenStdio {
    theirs: Vec<Option<OwnedFd>>,
    /// Our ends of the pipes, with `None` for other entries.
    pub ours: Vec<Option<OwnedFd>>,
}

impl OpenStdio {
    pub fn open(stdio: &[Stdio]) -> Result<Self> {
        let mut opened = Self::default();
        for (target, stdio) in stdio.iter().enumerate() {
            let (ours, theirs) = match *stdio {
                Stdio::Pipe => pipe().map(|(ours, theirs)| (Some(ours), Some(theirs)))?,
                Stdio::Ignore if target > 2 => (None, None),
                Stdio::Ignore => (None, Some(open_null(target)?)),
                Stdio::Inherit(fd) => (None, Some(inherit(fd)?)),
            };
            opened.ours.push(ours);
            opened.theirs.push(theirs);
        }
        Ok(opened)
    }

    pub fn theirs(&self) -> impl Iterator<Item = Option<BorrowedFd<'_>>> {
        self.theirs.iter().map(|fd| fd.as_ref().map(AsFd::as_fd))
    }
}

/// A socket instead of a pipe, as in libuv, so that Node.js can both read and write it.
fn pipe() -> Result<(OwnedFd, OwnedFd)> {
    socketpair(AddressFamily::Unix, SockType::Stream, None, SockFlag::SOCK_CLOEXEC)
        .map_err(|errno| SystemError::new(errno, "socketpair").into())
}

fn open_null(target: usize) -> Result<OwnedFd> {
    let null = OpenOptions::new().read(true).write(target != 0).open("/dev/null");
    Ok(null.map_err(|error| SystemError::new(last_errno(&error), "open").path("/dev/null"))?.into())
}

fn inherit(fd: RawFd) -> Result<OwnedFd> {
    launch::duplicate(fd).map_err(|errno| {
        let hint = format!("the descriptor {fd} in stdio is not open");
        SystemError::new(errno, "fcntl(F_DUPFD_CLOEXEC)").hint(hint).into()
    })
}
