//! Tells the JavaScript that asked what became of its request.

use std::sync::Arc;

use napi::threadsafe_function::ThreadsafeFunctionCallMode;
use nix::errno::Errno;
use nsset::SystemError;

use super::failure::Failure;
use crate::{answer::NativeAnswer, environment::AnswerLine, error_fields::ErrorFields};

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
