//! Requests whose rest nobody may want any more.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

/// The requests of one network that are under way.
#[derive(Clone, Default)]
pub struct UnderWay(Arc<Mutex<HashMap<u32, Arc<AtomicBool>>>>);

/// A request that is under way, until it is dropped.
pub struct Request {
    all: UnderWay,
    id: u32,
    is_abandoned: Arc<AtomicBool>,
}

impl Request {
    pub fn is_abandoned(&self) -> &AtomicBool {
        &self.is_abandoned
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
        let is_abandoned = Arc::<AtomicBool>::default();
        self.requests().insert(id, Arc::clone(&is_abandoned));
        Request { all: self.clone(), id, is_abandoned }
    }

    /// Says that nobody wants the rest of a request, if it has not ended.
    pub fn abandon(&self, id: u32) {
        if let Some(is_abandoned) = self.requests().get(&id) {
            is_abandoned.store(true, Ordering::Relaxed);
        }
    }

    fn requests(&self) -> MutexGuard<'_, HashMap<u32, Arc<AtomicBool>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
