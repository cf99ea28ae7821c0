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

/// What becomes of one of the program's descriptors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stdio {
    /// A stream socket; our end comes back with the child.
    Pipe,
    /// `/dev/null`, the caller's, for the first three; the others are closed.
    Ignore,
    /// A descriptor of the caller's.
    Inherit(RawFd),
}

/// The program's ends, and ours.
#[derive(Debug, Default)]
pub struct OpenStdio {
    theirs: Vec<Option<OwnedFd>>,
    /// Of the pipes, with `None` where there is none.
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

/// A socket and not a pipe, as libuv has it: so Node may read and write it alike.
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
        let hint = format!("stdio names descriptor {fd}, which is not open");
        SystemError::new(errno, "fcntl(F_DUPFD_CLOEXEC)").hint(hint).into()
    })
}
