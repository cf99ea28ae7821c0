//! The errors: what was tried, on which object, and what the user can do about it.

use std::{borrow::Cow, fmt, io, path::PathBuf};

use nix::errno::Errno;

use crate::kind::Kind;

pub type Result<T> = std::result::Result<T, Error>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    System(#[from] Box<SystemError>),

    /// An argument that is wrong for every kernel.
    #[error("{0}")]
    InvalidArgument(String),

    #[error("the namespace set is closed")]
    Closed,

    #[error("the set has no {kind} namespace; it has {}", display_or_nothing(.has))]
    NotInSet { kind: Kind, has: String },

    #[error("a thread of Node cannot enter the {kind} namespace: {reason}")]
    NotEnterable { kind: Kind, reason: Cow<'static, str> },

    /// The thread is still inside; nothing else runs on it before it has returned.
    #[error(
        "the thread could not be brought back to its {kind} namespace: {errno}, setns; \
         every call on this thread tries again and throws ERR_NSSET_TAINTED_THREAD until one succeeds"
    )]
    Restore { kind: Kind, errno: Errno },

    #[error("this thread is still in a foreign {kind} namespace ({errno}, setns); the call was not made")]
    Tainted { kind: Kind, errno: Errno },

    #[error("the operation was aborted")]
    Aborted,
}

fn display_or_nothing(text: &str) -> &str {
    if text.is_empty() { "none at all" } else { text }
}

/// A system call, or the step of the helper for it, that failed.
#[derive(Debug)]
pub struct SystemError {
    pub errno: Errno,
    pub syscall: Cow<'static, str>,
    pub kind: Option<Kind>,
    pub path: Option<PathBuf>,
    pub pid: Option<i32>,
    pub hint: Option<Cow<'static, str>>,
}

impl SystemError {
    pub fn new(errno: Errno, syscall: impl Into<Cow<'static, str>>) -> Box<Self> {
        Box::new(Self { errno, syscall: syscall.into(), kind: None, path: None, pid: None, hint: None })
    }

    #[must_use]
    pub fn kind(mut self: Box<Self>, kind: impl Into<Option<Kind>>) -> Box<Self> {
        self.kind = kind.into();
        self
    }

    #[must_use]
    pub fn path(mut self: Box<Self>, path: impl Into<PathBuf>) -> Box<Self> {
        self.path = Some(path.into());
        self
    }

    #[must_use]
    pub fn pid(mut self: Box<Self>, pid: i32) -> Box<Self> {
        self.pid = Some(pid);
        self
    }

    #[must_use]
    pub fn hint(mut self: Box<Self>, hint: impl Into<Cow<'static, str>>) -> Box<Self> {
        self.hint = Some(hint.into());
        self
    }
}

impl std::error::Error for SystemError {}

impl fmt::Display for SystemError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}: {}, {}", self.errno, lower_first(self.errno.desc()), self.syscall)?;
        if let Some(kind) = self.kind {
            write!(formatter, " {kind}")?;
        }
        if let Some(path) = &self.path {
            write!(formatter, " '{}'", path.display())?;
        }
        if let Some(pid) = self.pid {
            write!(formatter, " (pid {pid})")?;
        }
        let always = match self.errno {
            Errno::EMFILE => Some("too many open files: RLIMIT_NOFILE (ulimit -n) is reached"),
            Errno::ENFILE => Some("too many open files in the whole system: fs.file-max is reached"),
            Errno::ETOOMANYREFS => Some("too many descriptors of this user are in flight over unix sockets (unix(7))"),
            _ => None,
        };
        if let Some(hint) = always.or(self.hint.as_deref()) {
            write!(formatter, ": {hint}")?;
        }
        Ok(())
    }
}

/// The error number of an `io::Error` from a system call of the standard library.
pub(crate) fn last_errno(error: &io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::EIO, Errno::from_raw)
}

/// The messages of Node.js begin with a lower-case letter.
fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_the_call_its_object_and_a_hint() {
        let error = SystemError::new(Errno::EPERM, "setns").kind(Kind::Net).path("/run/x").hint("be root");
        assert_eq!(error.to_string(), "EPERM: operation not permitted, setns net '/run/x': be root");
    }
}
