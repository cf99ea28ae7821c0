//! The exit code or signal of a child, for JavaScript.

use napi_derive::napi;
use nsset::reaper::Exit;

/// The exit code or the signal with which a child ended. Both are null if they are unknown.
#[napi(object, object_from_js = false)]
pub struct NativeExit {
    pub code: Option<i32>,
    /// The signal's number.
    pub signal: Option<i32>,
}

impl From<Exit> for NativeExit {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Code(code) => Self { code: Some(code), signal: None },
            Exit::Signal(signal) => Self { code: None, signal: Some(signal) },
            Exit::Unknown => Self { code: None, signal: None },
        }
    }
}
