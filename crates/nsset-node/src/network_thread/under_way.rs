//! Requests whose rest nobody may want any more.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::sync::Notify;

/// The requests of one network that are under way.
#[derive(Clone, Default)]
pub struct UnderWay(Arc<Mutex<HashMap<u32, Arc<Abandonment>>>>);

/// Whether a request is abandoned.
#[derive(Default)]
pub struct Abandonment {
    has_happened: AtomicBool,
    happening: Notify,
}

impl Abandonment {
    pub fn has_happened(&self) -> bool {
        self.has_happened.load(Ordering::Acquire)
    }

    /// Ends when the request is abandoned.
    pub async fn happens(&self) {
        // Made before the look: it does not miss what happens after.
        let happening = self.happening.notified();
        if !self.has_happened() {
            happening.await;
        }
    }

    fn happen(&self) {
        self.has_happened.store(true, Ordering::Release);
        self.happening.notify_waiters();
    }
}

/// A request that is under way, until it is dropped.
pub struct Request {
    all: UnderWay,
    id: u32,
    abandonment: Arc<Abandonment>,
}

impl Request {
    pub fn abandonment(&self) -> &Arc<Abandonment> {
        &self.abandonment
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        self.all.requests().remove(&self.id);
    }
}

impl UnderWay {
    /// A request begins.
    pub fn begin(&self, id: u32) -> Request {
        let abandonment = Arc::<Abandonment>::default();
        self.requests().insert(id, Arc::clone(&abandonment));
        Request { all: self.clone(), id, abandonment }
    }

    /// Says that nobody wants the rest of a request, if it has not ended.
    pub fn abandon(&self, id: u32) {
        let abandonment = self.requests().get(&id).cloned();
        if let Some(abandonment) = abandonment {
            abandonment.happen();
        }
    }

    fn requests(&self) -> MutexGuard<'_, HashMap<u32, Arc<Abandonment>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
