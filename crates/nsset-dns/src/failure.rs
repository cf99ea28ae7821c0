//! Why a query has no answer.

use std::{io, sync::Arc};

use hickory_proto::op::ResponseCode;

/// Why a query to one server has no answer. If servers fail in different ways, the variant that comes last here is reported.
#[derive(Clone, Debug)]
pub enum Failure {
    Socket(SocketError),
    /// The server did not answer in time.
    Timeout,
    /// The answer is malformed or incomplete.
    Unreadable,
    /// The server failed or refused to answer.
    Code(ResponseCode),
    /// No socket could be created.
    NoSocket(Arc<io::Error>),
}

impl Failure {
    /// Returns the one of two failures that is reported.
    pub fn or(self, other: Self) -> Self {
        if other.weight() >= self.weight() { other } else { self }
    }

    fn weight(&self) -> u8 {
        match self {
            Self::Socket(_) => 0,
            Self::Timeout => 1,
            Self::Unreadable => 2,
            Self::Code(_) => 3,
            Self::NoSocket(_) => 4,
        }
    }
}

/// The error of a system call on a socket.
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
