//! How a child ended, for whoever waits for it.

use napi_derive::napi;
use nsset::reaper::Exit;

/// How a child ended.
#[napi(object, object_from_js = false)]
pub struct ExitReport {
    /// As given to `spawn`.
    pub child: u32,
    pub code: Option<i32>,
    /// The number of the signal.
    pub signal: Option<i32>,
}

impl ExitReport {
    pub fn new(child: u32, exit: Exit) -> Self {
        match exit {
            Exit::Code(code) => Self { child, code: Some(code), signal: None },
            Exit::Signal(signal) => Self { child, code: None, signal: Some(signal) },
            Exit::Unknown => Self { child, code: None, signal: None },
        }
    }
}
