//! Errors. A message has the error number, the request and its target, the kernel's own message, and a remedy.

use std::{borrow::Cow, fmt};

use nix::errno::Errno;

use crate::hint;

pub type Result<T> = std::result::Result<T, Error>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Kernel(#[from] Box<KernelError>),

    /// An invalid argument that this crate detects.
    #[error("{0}")]
    InvalidArgument(String),

    /// An argument of the right type that is too small or too large.
    #[error("{0}")]
    OutOfRange(String),

    /// An alias that several links have.
    #[error("several links have the alias '{alias}': {}", .links.join(", "))]
    Ambiguous { alias: String, links: Vec<String> },
}

impl Error {
    /// The error number, if the kernel returned the error.
    pub fn errno(&self) -> Option<Errno> {
        match self {
            Self::Kernel(error) => Some(error.errno),
            _ => None,
        }
    }

    /// Replaces the hint of an error of the kernel. Other errors stay the same.
    pub(crate) fn with_hint(self, hint: String) -> Self {
        match self {
            Self::Kernel(error) => Box::new(KernelError { hint: Some(hint.into()), ..*error }).into(),
            other => other,
        }
    }
}

/// An error that the kernel returned, with the request that caused it. It is a `NetlinkError` with its context.
#[derive(Clone, Debug)]
pub struct KernelError {
    pub errno: Errno,
    /// The request's name in rtnetlink(7), or the system call.
    pub request: &'static str,
    /// The object of the request, such as the name of a link; empty if there is none.
    pub target: String,
    /// The kernel's message beside the number (`NLMSGERR_ATTR_MSG`).
    pub words: Option<String>,
    /// What the user can do about it.
    pub hint: Option<Cow<'static, str>>,
}

impl std::error::Error for KernelError {}

impl fmt::Display for KernelError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}: {}, {}", self.errno, lower_first(self.errno.desc()), self.request)?;
        if !self.target.is_empty() {
            write!(formatter, " {}", self.target)?;
        }
        if let Some(words) = &self.words {
            write!(formatter, " (\"{words}\")")?;
        }
        match &self.hint {
            Some(hint) => write!(formatter, ": {hint}"),
            None => Ok(()),
        }
    }
}

/// Node's messages begin with a small letter.
fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// An error that the kernel returned, without the request: only the caller knows its name and its target. [`NetlinkError::of`]
/// adds these, which makes a [`KernelError`].
#[derive(Clone, Debug)]
pub(crate) struct NetlinkError {
    pub errno: Errno,
    pub words: Option<String>,
}

impl NetlinkError {
    /// Adds the request and its target.
    pub fn of(self, request: &'static str, target: impl fmt::Display) -> Error {
        self.about(request, target, None)
    }

    /// Like `of`, for a link or a queueing discipline of this kind.
    pub fn of_kind(self, request: &'static str, target: impl fmt::Display, kind: &str) -> Error {
        self.about(request, target, Some(kind))
    }

    fn about(self, request: &'static str, target: impl fmt::Display, kind: Option<&str>) -> Error {
        let hint = hint::of(request, self.errno, self.words.as_deref(), kind);
        let target = target.to_string();
        Box::new(KernelError { errno: self.errno, request, target, words: self.words, hint }).into()
    }
}

impl From<Errno> for NetlinkError {
    fn from(errno: Errno) -> Self {
        Self { errno, words: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_the_request_its_target_the_reason_and_a_remedy() {
        let error = NetlinkError { errno: Errno::EOPNOTSUPP, words: Some("Unknown device type".into()) };
        let error = error.of_kind("RTM_NEWLINK", "'d0'", "dummy");
        assert_eq!(
            error.to_string(),
            "EOPNOTSUPP: operation not supported on transport endpoint, RTM_NEWLINK 'd0' (\"Unknown device type\"): \
             the kernel has no 'dummy' link; load the module dummy, if there is one"
        );
    }
}
