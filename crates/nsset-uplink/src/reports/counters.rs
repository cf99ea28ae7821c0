//! What an uplink has done.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

#[derive(Debug, Default)]
pub struct Counters {
    begun: AtomicU64,
    ended: AtomicU64,
    refused: AtomicU64,
    questions: AtomicU64,
    sent: AtomicU64,
    received: AtomicU64,
}

/// The counters at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statistics {
    /// All flows since the start, without refused ones.
    pub flows: u64,
    /// Those that have not ended.
    pub open: u64,
    /// What was refused: flows and names.
    pub refused: u64,
    /// Questions about names that came from inside.
    pub questions: u64,
    pub bytes_sent: u64,
    pub bytes_received: u64,
}

/// The direction of bytes, seen from inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Sent,
    Received,
}

impl Counters {
    pub fn read(&self) -> Statistics {
        // In this order the difference is never negative.
        let ended = self.ended.load(Relaxed);
        let flows = self.begun.load(Relaxed);
        Statistics {
            flows,
            open: flows.saturating_sub(ended),
            refused: self.refused.load(Relaxed),
            questions: self.questions.load(Relaxed),
            bytes_sent: self.sent.load(Relaxed),
            bytes_received: self.received.load(Relaxed),
        }
    }

    pub(crate) fn begin(&self) -> OpenFlow<'_> {
        self.begun.fetch_add(1, Relaxed);
        OpenFlow(self)
    }

    pub(crate) fn refuse(&self) {
        self.refused.fetch_add(1, Relaxed);
    }

    pub(crate) fn ask(&self) {
        self.questions.fetch_add(1, Relaxed);
    }

    pub(crate) fn add(&self, direction: Direction, bytes: usize) {
        let counter = match direction {
            Direction::Sent => &self.sent,
            Direction::Received => &self.received,
        };
        counter.fetch_add(bytes as u64, Relaxed);
    }
}

/// Counts a flow as ended when it is dropped.
pub struct OpenFlow<'a>(&'a Counters);

impl Drop for OpenFlow<'_> {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Relaxed);
    }
}
