//! The outcome of a request about a network.

use std::sync::{Arc, Mutex, PoisonError};

use napi_derive::napi;
use serde::Serialize;

use crate::{deferred::Deferred, error_fields::ErrorFields, network_thread::failure::Failure};

/// The outcome of a request.
#[napi(object, object_from_js = false)]
pub struct NativeOutcome {
    /// The results of the operations that succeeded, as the text of a JSON array.
    pub results: String,
    /// The error of the first operation that failed, if any.
    pub failure: Option<ErrorFields>,
}

/// Collects the results of a request. The first call of `end` on any clone settles the promise.
#[derive(Clone)]
pub struct Results {
    deferred: Deferred<NativeOutcome>,
    /// A JSON array without its closing bracket; `None` once the request has ended.
    text: Arc<Mutex<Option<String>>>,
}

impl Results {
    pub fn new(deferred: Deferred<NativeOutcome>) -> Self {
        Self { deferred, text: Arc::new(Mutex::new(Some(String::from("[")))) }
    }

    /// Adds a result, which is JSON.
    pub fn push(&self, result: &str) {
        let mut text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(text) = text.as_mut() else { return };
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(result);
    }

    /// Settles the promise, with the error of an operation if one failed.
    pub fn end(&self, outcome: Result<(), Failure>) {
        let Some(mut results) = self.text.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
        results.push(']');
        let failure = outcome.err().as_ref().map(ErrorFields::from);
        self.deferred.resolve(NativeOutcome { results, failure });
    }

    /// Adds the last result and settles the promise.
    pub fn end_with(&self, result: &str) {
        self.push(result);
        self.end(Ok(()));
    }
}

/// Serializes a result as JSON.
pub fn json<T: Serialize>(result: &T) -> nsset::Result<String> {
    serde_json::to_string(result).map_err(|error| nsset::Error::InvalidArgument(error.to_string()))
}
