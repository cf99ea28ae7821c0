//! The outcome of a request about a network.

use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::Serialize;

use crate::{
    deferred::Deferred,
    error_fields::ErrorFields,
    network::parts::{Answer, NativeOutcome},
    network_thread::failure::Failure,
};

/// The results of most changes. No outcome stands for it, which costs neither a text nor an object.
const ONE_WITHOUT_RESULT: &str = "[null";

/// Collects the results of a request.
pub struct Results {
    /// A JSON array without its closing bracket.
    text: String,
}

impl Results {
    pub fn new() -> Self {
        Self { text: String::from("[") }
    }

    /// Adds a result, which is JSON.
    pub fn push(&mut self, result: &str) {
        if self.text.len() > 1 {
            self.text.push(',');
        }
        self.text.push_str(result);
    }

    /// Takes the results so far.
    fn take(&mut self) -> NativeOutcome {
        let mut results = mem::take(self).text;
        results.push(']');
        NativeOutcome { results, ..NativeOutcome::default() }
    }

    /// Ends the request, with the error of an operation if one failed.
    pub fn end(&mut self, outcome: Result<(), Failure>) -> Option<NativeOutcome> {
        if outcome.is_ok() && self.text == ONE_WITHOUT_RESULT {
            return None;
        }
        Some(NativeOutcome { failure: outcome.err().as_ref().map(ErrorFields::from), ..self.take() })
    }
}

impl Default for Results {
    fn default() -> Self {
        Self::new()
    }
}

/// Collects the results of a request, and settles its promise. The first call of `end` on any clone settles it.
#[derive(Clone)]
pub struct PromisedResults {
    /// `None` once the request has ended.
    results: Arc<Mutex<Option<Results>>>,
    answer: Arc<Answer>,
}

impl PromisedResults {
    pub fn new(deferred: Deferred<Option<NativeOutcome>>) -> Self {
        Self { results: Arc::new(Mutex::new(Some(Results::new()))), answer: Arc::new(Answer::new(deferred)) }
    }

    /// Adds a result, which is JSON.
    pub fn push(&self, result: &str) {
        if let Some(results) = self.results().as_mut() {
            results.push(result);
        }
    }

    /// Sends the results so far, and a part of a list, which is JSON: JavaScript parses it while the next one is received.
    pub fn send_part(&self, list: String) {
        let Some(outcome) = self.results().as_mut().map(Results::take) else { return };
        self.answer.send(NativeOutcome { list: Some(list), ..outcome });
    }

    /// Settles the promise, with the error of an operation if one failed.
    pub fn end(&self, outcome: Result<(), Failure>) {
        let Some(mut results) = self.results().take() else { return };
        self.answer.end(results.end(outcome));
    }

    /// Adds the last result and settles the promise.
    pub fn end_with(&self, result: &str) {
        self.push(result);
        self.end(Ok(()));
    }

    fn results(&self) -> MutexGuard<'_, Option<Results>> {
        self.results.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Serializes a result as JSON.
pub fn json<T: Serialize>(result: &T) -> nsset::Result<String> {
    serde_json::to_string(result).map_err(|error| nsset::Error::InvalidArgument(error.to_string()))
}
