//! What a forwarding has done.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counts connections, or flows of datagrams, and their bytes. Any thread can read it.
#[derive(Debug, Default)]
pub struct Counters {
    accepted: AtomicU64,
    ended: AtomicU64,
    failed: AtomicU64,
    to_target: AtomicU64,
    from_target: AtomicU64,
}

/// The counters at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statistics {
    /// All connections since the forwarding started.
    pub connections: u64,
    /// Those that have not ended.
    pub open: u64,
    /// Those that ended with an error, for example because no target accepted the connection.
    pub failed: u64,
    pub bytes_to_target: u64,
    pub bytes_from_target: u64,
}

/// The direction of bytes.
#[derive(Clone, Copy, Debug)]
pub enum Direction {
    ToTarget,
    FromTarget,
}

impl Counters {
    pub fn read(&self) -> Statistics {
        // In this order the difference is never negative.
        let ended = self.ended.load(Relaxed);
        let connections = self.accepted.load(Relaxed);
        Statistics {
            connections,
            open: connections.saturating_sub(ended),
            failed: self.failed.load(Relaxed),
            bytes_to_target: self.to_target.load(Relaxed),
            bytes_from_target: self.from_target.load(Relaxed),
        }
    }

    pub(crate) fn open(&self) -> OpenConnection<'_> {
        self.accepted.fetch_add(1, Relaxed);
        OpenConnection(self)
    }

    pub(crate) fn fail(&self) {
        self.failed.fetch_add(1, Relaxed);
    }

    pub(crate) fn add(&self, direction: Direction, bytes: usize) {
        let counter = match direction {
            Direction::ToTarget => &self.to_target,
            Direction::FromTarget => &self.from_target,
        };
        counter.fetch_add(bytes as u64, Relaxed);
    }
}

/// Counts a connection as ended when it is dropped.
pub struct OpenConnection<'a>(&'a Counters);

impl Drop for OpenConnection<'_> {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Relaxed);
    }
}
