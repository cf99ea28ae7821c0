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

impl UnderWay {
    /// A request begins; what comes back says whether it is abandoned.
    pub fn begin(&self, id: u32) -> Arc<AtomicBool> {
        let is_abandoned = Arc::<AtomicBool>::default();
        self.requests().insert(id, Arc::clone(&is_abandoned));
        is_abandoned
    }

    pub fn end(&self, id: u32) {
        self.requests().remove(&id);
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
