//! One watcher of a network.

use std::sync::Arc;

use super::{hub::Batch, watch::Watch};
use crate::error::Error;

/// Reads the events of one watcher, from any thread. Dropping it ends the watcher.
pub struct Watcher {
    watch: Arc<Watch>,
    number: u64,
}

impl Watcher {
    pub(super) const fn new(watch: Arc<Watch>, number: u64) -> Self {
        Self { watch, number }
    }

    /// Returns the events since the last call as the text of a JSON array; `Ok(None)` if there are none; an error once no more will
    /// come, which is `None` if the network was closed.
    pub fn read(&self) -> Result<Option<String>, Option<Arc<Error>>> {
        match self.watch.with(|hub| hub.take(self.number)) {
            Batch::Events(text) => Ok(Some(text)),
            Batch::Empty => Ok(None),
            Batch::End(outcome) => Err(outcome.err()),
        }
    }

    /// Calls a function once, on any thread, when there is something to read.
    pub fn when_ready(&self, wake: impl FnOnce() + Send + 'static) {
        self.watch.with(|hub| hub.when_ready(self.number, Box::new(wake)));
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.watch.remove(self.number);
    }
}
