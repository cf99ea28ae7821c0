//! How a child ended.

use napi_derive::napi;
use nsset::reaper::Exit;

/// How a child ended.
#[napi(object, object_from_js = false)]
pub struct NativeExit {
    pub code: Option<i32>,
    /// The number of the signal.
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
