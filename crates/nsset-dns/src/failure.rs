//! Why a question has no answer.

use std::{io, sync::Arc};

use hickory_net::{NetError, proto::op::ResponseCode};

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
    /// The one that is told, of two.
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
#[derive(Clone, Debug, thiserror::Error)]
#[error("{syscall}: {error}")]
pub struct SocketError {
    pub syscall: &'static str,
    pub error: Arc<io::Error>,
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct NotMade(Arc<io::Error>);

/// Wraps an error so that it goes through hickory, which tries some again, as it is.
pub fn not_made(error: io::Error) -> io::Error {
    io::Error::other(NotMade(Arc::new(error)))
}

/// The same for a system call. One that took too long stays what it is: hickory makes a timeout of it.
pub fn refused(syscall: &'static str) -> impl Fn(io::Error) -> io::Error {
    move |error| match error.kind() {
        io::ErrorKind::TimedOut => error,
        _ => io::Error::other(SocketError { syscall, error: Arc::new(error) }),
    }
}

impl From<NetError> for Failure {
    fn from(error: NetError) -> Self {
        match error {
            NetError::Timeout => Self::Timeout,
            NetError::Io(error) => error.get_ref().and_then(unwrap).unwrap_or(Self::Unreadable),
            _ => Self::Unreadable,
        }
    }
}

fn unwrap(error: &(dyn std::error::Error + Send + Sync + 'static)) -> Option<Failure> {
    if let Some(NotMade(error)) = error.downcast_ref() {
        return Some(Failure::NotMade(Arc::clone(error)));
    }
    error.downcast_ref().cloned().map(Failure::Socket)
}
