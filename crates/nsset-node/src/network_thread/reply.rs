//! Tells the JavaScript that asked what became of its request.

use std::sync::{Arc, Mutex, PoisonError};

use napi::threadsafe_function::ThreadsafeFunctionCallMode;
use nix::errno::Errno;
use nsset::SystemError;
use serde::Serialize;

use crate::network_thread::failure::Failure;
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

/// A result as it is replied.
pub fn json<T: Serialize>(result: &T) -> nsset::Result<String> {
    serde_json::to_string(result).map_err(|error| nsset::Error::InvalidArgument(error.to_string()))
}

/// A reply that is ended by the first of those who have it.
#[derive(Clone)]
pub struct SharedReply(Arc<Mutex<Option<Reply>>>);

impl SharedReply {
    pub fn new(reply: Reply) -> Self {
        Self(Arc::new(Mutex::new(Some(reply))))
    }

    /// Adds a result, as JSON.
    pub fn push(&self, result: &str) {
        if let Some(reply) = self.0.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            reply.push(result);
        }
    }

    /// All went well, or this went wrong.
    pub fn end(&self, outcome: Result<(), Failure>) {
        if let Some(reply) = self.take() {
            reply.end(outcome);
        }
    }

    /// All went well, and this is the last result.
    pub fn end_with(&self, result: &str) {
        if let Some(mut reply) = self.take() {
            reply.push(result);
            reply.end(Ok(()));
        }
    }

    fn take(&self) -> Option<Reply> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
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
