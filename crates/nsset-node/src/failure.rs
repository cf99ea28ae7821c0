//! Turns the core's errors into JavaScript's, made by the face's own function.

use napi::{
    Env, Status,
    bindgen_prelude::{JsObjectValue, JsValue, Unknown},
    sys,
};
use napi_derive::napi;
use nsset::Error;

use crate::environment;

/// What an error is made of.
#[napi(object, object_from_js = false)]
pub struct ErrorFields {
    pub code: String,
    pub message: String,
    /// Negative, as in Node; only where a system call failed.
    pub errno: Option<i32>,
    pub syscall: Option<String>,
    pub kind: Option<&'static str>,
    pub path: Option<String>,
    pub pid: Option<i32>,
}

impl From<&Error> for ErrorFields {
    fn from(error: &Error) -> Self {
        let fields = |code: &str| Self {
            code: code.to_owned(),
            message: error.to_string(),
            errno: None,
            syscall: None,
            kind: None,
            path: None,
            pid: None,
        };
        let of_kind = |code, kind: &nsset::Kind| Self { kind: Some(kind.name()), ..fields(code) };
        let astray = |code, kind, errno| Self {
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
            Error::Restore { kind, errno } => astray("ERR_NSSET_RESTORE", kind, *errno),
            Error::Tainted { kind, errno } => astray("ERR_NSSET_TAINTED_THREAD", kind, *errno),
            Error::Aborted => fields("ABORT_ERR"),
        }
    }
}

/// The JavaScript error for one of the core's.
pub fn create(env: Env, error: &Error) -> napi::Result<Unknown<'static>> {
    environment::of(env)?.create_error.borrow_back(&env)?.call(error.into())
}

/// Throws it. What is returned only tells napi-rs that an exception is pending.
pub fn throw(env: Env, error: &Error) -> napi::Error {
    match create(env, error) {
        Ok(value) => throw_value(env, value.raw()),
        Err(failure) => failure,
    }
}

/// Throws a JavaScript value as it is.
pub fn throw_value(env: Env, value: sys::napi_value) -> napi::Error {
    // SAFETY: the value was made in this environment, in a scope that is still open.
    unsafe { sys::napi_throw(env.raw(), value) };
    pending()
}

/// An exception is pending already; napi-rs leaves it alone.
pub fn pending() -> napi::Error {
    napi::Error::new(Status::PendingException, "")
}

/// For promises: an error that rejects with exactly the face's object.
pub fn rejection(env: Env, error: &Error) -> napi::Error {
    match create(env, error) {
        Ok(value) => napi::Error::from_unknown_without_coercion(value),
        Err(failure) => failure,
    }
}

/// Every call on a thread begins with this: a thread that is not back where it belongs goes back first, or does nothing.
pub fn guard<T>(env: Env, call: impl FnOnce() -> nsset::Result<T>) -> napi::Result<T> {
    nsset::thread::ensure_restored().and_then(|()| call()).map_err(|error| throw(env, &error))
}

/// Adds what was thrown before to the error that takes its place.
pub fn set_cause(error: &mut Unknown<'_>, cause: Unknown<'_>) -> napi::Result<()> {
    error.coerce_to_object()?.set_named_property("cause", cause)
}
