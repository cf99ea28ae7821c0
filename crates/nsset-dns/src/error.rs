//! The errors of a lookup, with the codes of node:dns.

use std::{borrow::Cow, io, net::SocketAddr, sync::Arc};

use hickory_proto::op::ResponseCode;
use nix::errno::Errno;

use crate::failure::{Failure, SocketError};

pub type Result<T> = std::result::Result<T, Error>;

#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The name does not exist. `answer` is the response code of a server that rejects the query permanently, as in
    /// [`Error::Server`].
    #[error("ENOTFOUND: {}, lookup '{name}'", .answer.map_or("no such host", words))]
    NotFound { name: String, answer: Option<u16> },

    /// The name exists, but has no address of the family.
    #[error("ENODATA: no address of the family, lookup '{name}'")]
    NoData { name: String },

    /// The name is an address of the other family.
    #[error("EAI_ADDRFAMILY: the address is of the other family, lookup '{name}'")]
    WrongFamily { name: String },

    /// The text is not a host name, and no server was queried. Names must be ASCII (IDNA).
    #[error("EBADNAME: not the name of a host, lookup '{}'", .name.escape_debug())]
    BadName { name: String },

    /// None of the servers answered in time.
    #[error("ETIMEOUT: no server answered in time, lookup '{name}' at {}", list(.servers))]
    Timeout { name: String, servers: Vec<SocketAddr> },

    /// All servers failed or refused to answer. `answer` is the response code (RFC 1035, section 4.1.1) of the last one.
    #[error("{}: {}, lookup '{name}' at {}", answer_code(*.answer), words(*.answer), list(.servers))]
    Server { name: String, servers: Vec<SocketAddr>, answer: u16 },

    /// The answers of the servers were malformed.
    #[error("EBADRESP: the answer cannot be read, lookup '{name}' at {}", list(.servers))]
    Unreadable { name: String, servers: Vec<SocketAddr> },

    /// No server could be reached. `error` is that of the last one.
    #[error("{}: {}, {syscall}, lookup '{name}' at {}", errno_code(.error), kernel_words(.error), list(.servers))]
    Socket { name: String, servers: Vec<SocketAddr>, syscall: &'static str, error: Arc<io::Error> },

    /// No socket could be created. The error is that of the [`SocketMaker`](crate::SocketMaker).
    #[error("{0}")]
    NoSocket(Arc<io::Error>),
}

impl Error {
    /// Returns the code of node:dns: `ENOTFOUND`, `ENODATA`, `EAI_ADDRFAMILY`, `EBADNAME`, `ETIMEOUT`, `ESERVFAIL`, `EREFUSED`,
    /// `EFORMERR`, `ENOTIMP`, `EBADRESP`, or the name of an error number, such as `ECONNREFUSED`.
    pub fn code(&self) -> Cow<'static, str> {
        match self {
            Self::NotFound { .. } => "ENOTFOUND".into(),
            Self::NoData { .. } => "ENODATA".into(),
            Self::WrongFamily { .. } => "EAI_ADDRFAMILY".into(),
            Self::BadName { .. } => "EBADNAME".into(),
            Self::Timeout { .. } => "ETIMEOUT".into(),
            Self::Server { answer, .. } => answer_code(*answer).into(),
            Self::Unreadable { .. } => "EBADRESP".into(),
            Self::Socket { error, .. } | Self::NoSocket(error) => errno_code(error),
        }
    }

    /// Returns the error number, if the kernel returned the error.
    pub fn errno(&self) -> Option<Errno> {
        match self {
            Self::Socket { error, .. } | Self::NoSocket(error) => error.raw_os_error().map(Errno::from_raw),
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
            Failure::NoSocket(error) => Self::NoSocket(error),
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
        ResponseCode::FormErr => "the server does not understand the query",
        ResponseCode::NotImp => "the server does not support such queries",
        ResponseCode::Refused => "the server refuses to answer",
        _ => "the server failed to find an answer",
    }
}

fn errno_code(error: &io::Error) -> Cow<'static, str> {
    error.raw_os_error().map_or("EIO".into(), |number| format!("{:?}", Errno::from_raw(number)).into())
}

/// Returns the message of an error without the number, which the code has.
fn kernel_words(error: &io::Error) -> String {
    error.raw_os_error().map_or_else(|| error.to_string(), |number| Errno::from_raw(number).desc().to_lowercase())
}

fn list(servers: &[SocketAddr]) -> String {
    servers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
