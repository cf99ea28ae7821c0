//! What becomes of a request about a network.

use std::sync::{Arc, Mutex, PoisonError};

use napi_derive::napi;
use serde::Serialize;

use crate::{deferred::Deferred, error_fields::ErrorFields, network_thread::failure::Failure};

/// What became of a request.
#[napi(object, object_from_js = false)]
pub struct NativeOutcome {
    /// The results of the operations that succeeded, as the text of a JSON array.
    pub results: String,
    /// Why the next one did not.
    pub failure: Option<ErrorFields>,
}

/// The results of a request, as they come. The first of those who share them that ends the request settles its promise.
#[derive(Clone)]
pub struct Results {
    deferred: Deferred<NativeOutcome>,
    /// An array of JSON without its end; `None` once the request has ended.
    text: Arc<Mutex<Option<String>>>,
}

impl Results {
    pub fn new(deferred: Deferred<NativeOutcome>) -> Self {
        Self { deferred, text: Arc::new(Mutex::new(Some(String::from("[")))) }
    }

    /// Adds a result, as JSON.
    pub fn push(&self, result: &str) {
        let mut text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(text) = text.as_mut() else { return };
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(result);
    }

    /// All went well, or this went wrong.
    pub fn end(&self, outcome: Result<(), Failure>) {
        let Some(mut results) = self.text.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
        results.push(']');
        let failure = outcome.err().as_ref().map(ErrorFields::from);
        self.deferred.resolve(NativeOutcome { results, failure });
    }

    /// All went well, and this is the last result.
    pub fn end_with(&self, result: &str) {
        self.push(result);
        self.end(Ok(()));
    }
}

/// A result as JSON.
pub fn json<T: Serialize>(result: &T) -> nsset::Result<String> {
    serde_json::to_string(result).map_err(|error| nsset::Error::InvalidArgument(error.to_string()))
}
