//! Everything that can go wrong, with the codes that node:dns has for it.

use std::{borrow::Cow, io, net::SocketAddr, sync::Arc};

use hickory_proto::op::ResponseCode;
use nix::errno::Errno;

use crate::failure::{Failure, SocketError};

pub type Result<T> = std::result::Result<T, Error>;

#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no such name.
    /// `answer` is what the server said to a question that is of no use, as for [`Error::Server`].
    #[error("ENOTFOUND: {}, lookup '{name}'", .answer.map_or("no such host", words))]
    NotFound { name: String, answer: Option<u16> },

    /// There is such a name, and it has no address of the family.
    #[error("ENODATA: no address of the family, lookup '{name}'")]
    NoData { name: String },

    /// It is an address of the family that is not wanted.
    #[error("EAI_ADDRFAMILY: the address is of the other family, lookup '{name}'")]
    WrongFamily { name: String },

    /// It is no host's name, and no server was asked. Names are ASCII here: IDNA makes them so.
    #[error("EBADNAME: not the name of a host, lookup '{}'", .name.escape_debug())]
    BadName { name: String },

    /// None of the servers answered in time.
    #[error("ETIMEOUT: no server answered in time, lookup '{name}' at {}", list(.servers))]
    Timeout { name: String, servers: Vec<SocketAddr> },

    /// None of the servers can say, or wants to. `answer` is the number of RFC 1035, section 4.1.1, of the last that
    /// said so.
    #[error("{}: {}, lookup '{name}' at {}", answer_code(*.answer), words(*.answer), list(.servers))]
    Server { name: String, servers: Vec<SocketAddr>, answer: u16 },

    /// None of the servers gave an answer that can be read.
    #[error("EBADRESP: the answer cannot be read, lookup '{name}' at {}", list(.servers))]
    Unreadable { name: String, servers: Vec<SocketAddr> },

    /// None of the servers can be reached; the error is that of the last.
    #[error("{}: {}, {syscall}, lookup '{name}' at {}", errno_code(.error), kernel_words(.error), list(.servers))]
    Socket { name: String, servers: Vec<SocketAddr>, syscall: &'static str, error: Arc<io::Error> },

    /// There was no socket to ask over; the error is that of the [`SocketMaker`](crate::SocketMaker).
    #[error("{0}")]
    NotMade(Arc<io::Error>),
}

impl Error {
    /// The code as node:dns has it: `ENOTFOUND`, `ENODATA`, `EAI_ADDRFAMILY`, `EBADNAME`, `ETIMEOUT`, `ESERVFAIL`, `EREFUSED`, `EFORMERR`,
    /// `ENOTIMP`, `EBADRESP`, or the name of an error number, such as `ECONNREFUSED`.
    pub fn code(&self) -> Cow<'static, str> {
        match self {
            Self::NotFound { .. } => "ENOTFOUND".into(),
            Self::NoData { .. } => "ENODATA".into(),
            Self::WrongFamily { .. } => "EAI_ADDRFAMILY".into(),
            Self::BadName { .. } => "EBADNAME".into(),
            Self::Timeout { .. } => "ETIMEOUT".into(),
            Self::Server { answer, .. } => answer_code(*answer).into(),
            Self::Unreadable { .. } => "EBADRESP".into(),
            Self::Socket { error, .. } | Self::NotMade(error) => errno_code(error),
        }
    }

    /// The error number, where it was the kernel that refused.
    pub fn errno(&self) -> Option<Errno> {
        match self {
            Self::Socket { error, .. } | Self::NotMade(error) => error.raw_os_error().map(Errno::from_raw),
            _ => None,
        }
    }

    pub(crate) fn of(failure: Failure, name: &str, servers: &[SocketAddr]) -> Self {
        let (name, servers) = (name.to_owned(), servers.to_vec());
        match failure {
            Failure::Timeout => Self::Timeout { name, servers },
            Failure::Code(code) => Self::Server { name, servers, answer: code.into() },
            Failure::Unreadable => Self::Unreadable { name, servers },
            Failure::Socket(SocketError { syscall, error }) => Self::Socket { name, servers, syscall, error },
            Failure::NotMade(error) => Self::NotMade(error),
        }
    }
}

fn answer_code(answer: u16) -> &'static str {
    match ResponseCode::from(0, answer as u8) {
        ResponseCode::FormErr => "EFORMERR",
        ResponseCode::NotImp => "ENOTIMP",
        ResponseCode::Refused => "EREFUSED",
        _ => "ESERVFAIL",
    }
}

fn words(answer: u16) -> &'static str {
    match ResponseCode::from(0, answer as u8) {
        ResponseCode::FormErr => "the server does not understand the question",
        ResponseCode::NotImp => "the server does not know such questions",
        ResponseCode::Refused => "the server refuses to answer",
        _ => "the server failed to find an answer",
    }
}

fn errno_code(error: &io::Error) -> Cow<'static, str> {
    error.raw_os_error().map_or("EIO".into(), |number| format!("{:?}", Errno::from_raw(number)).into())
}

/// Without the number, which the code says.
fn kernel_words(error: &io::Error) -> String {
    error.raw_os_error().map_or_else(|| error.to_string(), |number| Errno::from_raw(number).desc().to_lowercase())
}

fn list(servers: &[SocketAddr]) -> String {
    servers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
