//! What became of a request, told to the JavaScript that asked.

use std::sync::Arc;

use napi::{
    Status,
    threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode},
};
use napi_derive::napi;
use nix::errno::Errno;
use nsset::SystemError;

use super::failure::Failure;
use crate::error_fields::ErrorFields;

/// Calls `onAnswer`; weak, so that it alone does not keep the event loop alive.
pub type AnswerLine = ThreadsafeFunction<NativeAnswer, (), NativeAnswer, Status, false, true>;

/// What became of a request.
#[napi(object, object_from_js = false)]
pub struct NativeAnswer {
    /// As given to `request`.
    pub id: u32,
    /// The results of the operations that succeeded, as the text of a JSON array.
    pub results: String,
    /// Why the next one did not.
    pub failure: Option<ErrorFields>,
}

/// Says what became of a request, whatever becomes of who is to say it.
pub struct Reply {
    id: u32,
    line: Arc<AnswerLine>,
    results: String,
    failure: Option<ErrorFields>,
    has_ended: bool,
}

impl Reply {
    pub fn new(id: u32, line: Arc<AnswerLine>) -> Self {
        Self { id, line, results: String::from("["), failure: None, has_ended: false }
    }

    /// Adds a result, as JSON.
    pub fn push(&mut self, result: &str) {
        if self.results.len() > 1 {
            self.results.push(',');
        }
        self.results.push_str(result);
    }

    /// All went well, or this went wrong.
    pub fn end(mut self, outcome: Result<(), Failure>) {
        self.failure = outcome.err().as_ref().map(ErrorFields::from);
        self.has_ended = true;
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        if !self.has_ended {
            let error = nsset::Error::from(SystemError::new(Errno::ECANCELED, "request"));
            self.failure = Some(ErrorFields::from(&error));
        }
        self.results.push(']');
        let answer =
            NativeAnswer { id: self.id, results: std::mem::take(&mut self.results), failure: self.failure.take() };
        self.line.call(answer, ThreadsafeFunctionCallMode::NonBlocking);
    }
}
