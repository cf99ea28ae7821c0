//! The caller of an operation.

use crate::network::outcome::PromisedResults;

/// Who waits for an operation.
#[derive(Clone, Copy)]
pub struct Caller<'a> {
    /// The results with a promise, if the calling thread does not wait itself.
    pub promised: Option<&'a PromisedResults>,
    pub is_last: bool,
}

impl Caller<'_> {
    /// The results for the last operation, with which another thread can settle the promise.
    pub fn last(self) -> Option<PromisedResults> {
        self.promised.filter(|_| self.is_last).cloned()
    }
}
