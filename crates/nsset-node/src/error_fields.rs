//! Converts errors of the crates to the fields of a JavaScript error.

use napi_derive::napi;
use nsset::Error;

/// The fields of a JavaScript error.
#[napi(object, object_from_js = false)]
pub struct ErrorFields {
    pub code: String,
    pub message: String,
    /// The negative error number, as in Node.js. Only for a failed system call.
    pub errno: Option<i32>,
    pub syscall: Option<String>,
    pub kind: Option<&'static str>,
    pub path: Option<String>,
    pub pid: Option<i32>,
    /// Whether an argument has the right type, but is too small or too large.
    pub is_range: Option<bool>,
}

impl From<&Error> for ErrorFields {
    fn from(error: &Error) -> Self {
        let fields = |code: &str| Self::new(code, error);
        let of_kind = |code, kind: &nsset::Kind| Self { kind: Some(kind.name()), ..fields(code) };
        let not_restored = |code, kind, errno| Self {
            errno: Some(-(errno as i32)),
            syscall: Some("setns".into()),
            ..of_kind(code, kind)
        };
        match error {
            Error::System(system) => Self {
                errno: Some(-(system.errno as i32)),
                syscall: Some(system.syscall.clone().into_owned()),
                kind: system.kind.map(nsset::Kind::name),
                path: system.path.as_ref().map(|path| path.to_string_lossy().into_owned()),
                pid: system.pid,
                ..fields(&format!("{:?}", system.errno))
            },
            Error::InvalidArgument(_) => fields("ERR_INVALID_ARG_VALUE"),
            Error::Closed => fields("ERR_NSSET_CLOSED"),
            Error::NotInSet { kind, .. } => of_kind("ERR_NSSET_NOT_IN_SET", kind),
            Error::NotEnterable { kind, .. } => of_kind("ERR_NSSET_NOT_ENTERABLE", kind),
            Error::Restore { kind, errno } => not_restored("ERR_NSSET_RESTORE", kind, *errno),
            Error::Tainted { kind, errno } => not_restored("ERR_NSSET_TAINTED_THREAD", kind, *errno),
            Error::Aborted => fields("ABORT_ERR"),
        }
    }
}

impl From<&nsset_net::Error> for ErrorFields {
    fn from(error: &nsset_net::Error) -> Self {
        use nsset_net::Error;
        let fields = |code: &str| Self::new(code, error);
        match error {
            Error::Kernel(kernel) => Self {
                errno: Some(-(kernel.errno as i32)),
                syscall: Some(kernel.request.into()),
                ..fields(&format!("{:?}", kernel.errno))
            },
            Error::InvalidArgument(_) => fields("ERR_INVALID_ARG_VALUE"),
            Error::OutOfRange(_) => Self { is_range: Some(true), ..fields("ERR_INVALID_ARG_VALUE") },
            Error::Ambiguous { .. } => fields("ERR_NSSET_AMBIGUOUS"),
        }
    }
}

impl From<&nsset_dns::Error> for ErrorFields {
    fn from(error: &nsset_dns::Error) -> Self {
        Self::new(&error.code(), error)
    }
}

impl ErrorFields {
    fn new(code: &str, message: &impl ToString) -> Self {
        Self {
            code: code.to_owned(),
            message: message.to_string(),
            errno: None,
            syscall: None,
            kind: None,
            path: None,
            pid: None,
            is_range: None,
        }
    }
}
