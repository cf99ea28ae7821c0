//! Everything that can go wrong, with what was tried, on what, the kernel's own words, and what to do about it.

use std::{borrow::Cow, fmt, io};

use nix::errno::Errno;

use crate::{netlink::attributes::Malformed, netlink::hint, netlink::socket::errno_of};

pub type Result<T> = std::result::Result<T, Error>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Kernel(#[from] Box<KernelError>),

    /// An argument that no kernel needs to see to know that it is wrong.
    #[error("{0}")]
    InvalidArgument(String),

    /// An argument of the right kind, but too small or too large.
    #[error("{0}")]
    OutOfRange(String),

    /// An alias that several links have.
    #[error("several links have the alias '{alias}': {}", .links.join(", "))]
    Ambiguous { alias: String, links: Vec<String> },
}

impl Error {
    /// The error number, where it was the kernel that refused.
    pub fn errno(&self) -> Option<Errno> {
        match self {
            Self::Kernel(error) => Some(error.errno),
            _ => None,
        }
    }

    /// The same, with this for a hint where it was the kernel that refused.
    pub(crate) fn with_hint(self, hint: String) -> Self {
        match self {
            Self::Kernel(error) => Box::new(KernelError { hint: Some(hint.into()), ..*error }).into(),
            other => other,
        }
    }
}

/// A request that the kernel refused.
#[derive(Clone, Debug)]
pub struct KernelError {
    pub errno: Errno,
    /// The request as rtnetlink(7) calls it, or the system call.
    pub request: &'static str,
    /// What it was about, where it was about one thing.
    pub target: String,
    /// What the kernel itself says, beyond the number.
    pub words: Option<String>,
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

/// What came back instead of success; who asked knows what it was about.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub errno: Errno,
    pub words: Option<String>,
}

impl Refusal {
    /// Names the request and its target.
    pub fn of(self, request: &'static str, target: impl fmt::Display) -> Error {
        self.about(request, target, None)
    }

    /// The same, of a link or a queueing discipline of this kind.
    pub fn of_kind(self, request: &'static str, target: impl fmt::Display, kind: &str) -> Error {
        self.about(request, target, Some(kind))
    }

    fn about(self, request: &'static str, target: impl fmt::Display, kind: Option<&str>) -> Error {
        let hint = hint::of(request, self.errno, self.words.as_deref(), kind);
        let target = target.to_string();
        Box::new(KernelError { errno: self.errno, request, target, words: self.words, hint }).into()
    }
}

impl From<Errno> for Refusal {
    fn from(errno: Errno) -> Self {
        Self { errno, words: None }
    }
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        errno_of(&error).into()
    }
}

impl From<Malformed> for Refusal {
    fn from(_: Malformed) -> Self {
        Self { errno: Errno::EBADMSG, words: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_says_what_on_what_why_and_what_to_do() {
        let refusal = Refusal { errno: Errno::EOPNOTSUPP, words: Some("Unknown device type".into()) };
        let error = refusal.of_kind("RTM_NEWLINK", "'d0'", "dummy");
        assert_eq!(
            error.to_string(),
            "EOPNOTSUPP: operation not supported on transport endpoint, RTM_NEWLINK 'd0' (\"Unknown device type\"): \
             the kernel has no 'dummy' link; load the module dummy, where there is one"
        );
    }
}
