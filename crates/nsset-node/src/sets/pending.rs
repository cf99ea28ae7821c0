//! An unshare that waits for its turn.

use std::{
    sync::{Mutex, PoisonError},
    time::Instant,
};

use nsset::{Error, TIME_LIMIT};

use crate::network_thread::{reply::Reply, waiting};

/// An answer that is still due.
pub struct Pending {
    reply: Mutex<Option<Reply>>,
    since: Instant,
}

impl Pending {
    pub fn new(reply: Reply) -> Self {
        Self { reply: Mutex::new(Some(reply)), since: Instant::now() }
    }

    /// Its turn has come: does the work and answers, unless that was done already.
    pub fn begin(&self, work: impl FnOnce() -> nsset::Result<()>) {
        let Some(reply) = self.take() else { return };
        let outcome = if self.since.elapsed() < TIME_LIMIT { work() } else { Err(waiting::too_late()) };
        reply.end(outcome.map_err(Into::into));
    }

    /// It is not wanted any more.
    pub fn abort(&self) {
        self.end(Err(Error::Aborted));
    }

    pub fn end(&self, outcome: nsset::Result<()>) {
        if let Some(reply) = self.take() {
            reply.end(outcome.map_err(Into::into));
        }
    }

    fn take(&self) -> Option<Reply> {
        self.reply.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
