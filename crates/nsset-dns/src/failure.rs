//! Why a question has no answer.

use std::{io, sync::Arc};

use hickory_proto::op::ResponseCode;

/// What became of a question that one server was asked, other than an answer. The later ones say more than the earlier
/// ones, where there are several.
#[derive(Clone, Debug)]
pub enum Failure {
    Socket(SocketError),
    /// It did not answer in time.
    Timeout,
    /// The answer cannot be read, or stops short.
    Unreadable,
    /// It cannot, or does not want to, say.
    Code(ResponseCode),
    /// There was no socket to ask it over.
    NotMade(Arc<io::Error>),
}

impl Failure {
    /// Which of two failures is reported.
    pub fn or(self, other: Self) -> Self {
        if other.weight() >= self.weight() { other } else { self }
    }

    fn weight(&self) -> u8 {
        match self {
            Self::Socket(_) => 0,
            Self::Timeout => 1,
            Self::Unreadable => 2,
            Self::Code(_) => 3,
            Self::NotMade(_) => 4,
        }
    }
}

/// A system call on a socket that failed.
#[derive(Clone, Debug)]
pub struct SocketError {
    pub syscall: &'static str,
    pub error: Arc<io::Error>,
}

impl SocketError {
    pub fn of(syscall: &'static str) -> impl Fn(io::Error) -> Self {
        move |error| Self { syscall, error: Arc::new(error) }
    }
}

impl From<SocketError> for Failure {
    fn from(error: SocketError) -> Self {
        match error.error.kind() {
            io::ErrorKind::TimedOut => Self::Timeout,
            io::ErrorKind::UnexpectedEof => Self::Unreadable,
            _ => Self::Socket(error),
        }
    }
}
