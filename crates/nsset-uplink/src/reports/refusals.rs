//! What was refused, and why.

use std::{
    collections::VecDeque,
    net::IpAddr,
    pin::pin,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::{sync::Notify, time::timeout_at};

use crate::rules::{Destination, Reason};

/// Older ones than these are forgotten.
const MOST_KEPT: usize = 1000;

/// How long a reader waits for further ones after it has got some: a flood of refusals does not occupy its thread.
const BETWEEN: Duration = Duration::from_millis(10);

/// What was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    Flow(Destination),
    /// A packet of a protocol that an uplink does not have.
    Protocol(u8, IpAddr),
    /// The question about a name, or an answer with this address.
    Question(Option<IpAddr>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub what: What,
    /// The name in question, or in the bytes of the flow, or one for which the address was the answer.
    pub name: Option<String>,
    pub reason: Reason,
}

/// The latest refusals, for any number of readers on any thread.
#[derive(Debug, Default)]
pub struct Refusals {
    kept: Mutex<Kept>,
    added: Notify,
    ended: Notify,
}

#[derive(Debug, Default)]
struct Kept {
    refusals: VecDeque<Refusal>,
    forgotten: u64,
    /// When some were read for the last time.
    read: Option<Instant>,
    has_ended: bool,
}

impl Refusals {
    /// Returns the refusals from a position on, and the position after them. Waits for one. `None` after the last one.
    pub async fn since(&self, position: u64) -> Option<(Vec<Refusal>, u64)> {
        loop {
            let mut added = pin!(self.added.notified());
            // What is added from now on is noticed.
            added.as_mut().enable();
            self.pause().await;
            {
                let mut kept = self.kept();
                let end = kept.forgotten + kept.refusals.len() as u64;
                if position < end {
                    kept.read = Some(Instant::now());
                    let skipped = position.saturating_sub(kept.forgotten) as usize;
                    return Some((kept.refusals.iter().skip(skipped).cloned().collect(), end));
                }
                if kept.has_ended {
                    return None;
                }
            }
            added.await;
        }
    }

    /// Waits until a reader gets more after the last one has got some, or until the end.
    async fn pause(&self) {
        let mut ended = pin!(self.ended.notified());
        ended.as_mut().enable();
        let Some(resumes) = self.kept().resumes() else { return };
        // The time has passed, or it has ended: a reader continues.
        let _ = timeout_at(resumes.into(), ended).await;
    }

    /// Whether `since` does not wait.
    pub fn has_since(&self, position: u64) -> bool {
        let kept = self.kept();
        kept.has_ended || position < kept.forgotten + kept.refusals.len() as u64
    }

    pub(crate) fn add(&self, refusal: Refusal) {
        let mut kept = self.kept();
        kept.refusals.push_back(refusal);
        if kept.refusals.len() > MOST_KEPT {
            kept.refusals.pop_front();
            kept.forgotten += 1;
        }
        drop(kept);
        self.added.notify_waiters();
    }

    pub(crate) fn end(&self) {
        self.kept().has_ended = true;
        self.added.notify_waiters();
        self.ended.notify_waiters();
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// When a reader gets more, if that is not now.
    fn resumes(&self) -> Option<Instant> {
        let resumes = self.read? + BETWEEN;
        (!self.has_ended && resumes > Instant::now()).then_some(resumes)
    }
}
