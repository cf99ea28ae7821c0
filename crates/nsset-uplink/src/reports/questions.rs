//! Flows that no rule settles, and that the owner of the uplink decides.

use std::{
    collections::HashMap,
    mem::take,
    pin::pin,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Notify, oneshot},
    time::timeout,
};

use crate::rules::{Destination, Reason};

/// How many flows wait for a decision. A further one is refused.
const MOST_WAITING: usize = 1024;

/// A flow to decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub id: u32,
    pub destination: Destination,
    pub names: Vec<String>,
}

/// The flows that wait for a decision.
#[derive(Debug, Default)]
pub struct Questions {
    waiting: Mutex<Waiting>,
    added: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    last: u32,
    new: Vec<Asked>,
    answers: HashMap<u32, oneshot::Sender<bool>>,
    has_ended: bool,
}

impl Questions {
    /// Returns the flows that have come since the last call. Waits for one. `None` when the uplink has ended.
    pub async fn next(&self) -> Option<Vec<Asked>> {
        loop {
            let mut added = pin!(self.added.notified());
            added.as_mut().enable();
            {
                let mut waiting = self.waiting();
                if waiting.has_ended {
                    return None;
                }
                if !waiting.new.is_empty() {
                    return Some(take(&mut waiting.new));
                }
            }
            added.await;
        }
    }

    /// Decides a flow.
    pub fn answer(&self, id: u32, is_allowed: bool) {
        let answer = self.waiting().answers.remove(&id);
        let _ = answer.map(|answer| answer.send(is_allowed));
    }

    /// Waits for the decision about a flow.
    pub(crate) async fn ask(
        &self,
        destination: Destination,
        names: Vec<String>,
        limit: Duration,
    ) -> Result<(), Reason> {
        let (id, decision) = self.add(destination, names).ok_or(Reason::Limit)?;
        self.added.notify_waiters();
        let decided = timeout(limit, decision).await;
        let mut waiting = self.waiting();
        waiting.answers.remove(&id);
        waiting.new.retain(|asked| asked.id != id);
        match decided {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false)) => Err(Reason::Decided),
            _ => Err(Reason::Undecided),
        }
    }

    pub(crate) fn end(&self) {
        self.waiting().has_ended = true;
        self.added.notify_waiters();
    }

    fn add(&self, destination: Destination, names: Vec<String>) -> Option<(u32, oneshot::Receiver<bool>)> {
        let mut waiting = self.waiting();
        if waiting.answers.len() >= MOST_WAITING {
            return None;
        }
        waiting.last = waiting.last.wrapping_add(1);
        let id = waiting.last;
        let (sender, receiver) = oneshot::channel();
        waiting.answers.insert(id, sender);
        waiting.new.push(Asked { id, destination, names });
        Some((id, receiver))
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
