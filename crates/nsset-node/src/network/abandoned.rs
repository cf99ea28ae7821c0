//! Requests whose rest nobody wants any more.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The requests of one network that are to end early. There are rarely any.
#[derive(Clone, Debug, Default)]
pub struct Abandoned(Arc<Mutex<Vec<u32>>>);

impl Abandoned {
    pub fn add(&self, id: u32) {
        self.ids().push(id);
    }

    pub fn has(&self, id: u32) -> bool {
        self.ids().contains(&id)
    }

    /// The request has ended.
    pub fn forget(&self, id: u32) {
        self.ids().retain(|other| *other != id);
    }

    fn ids(&self) -> MutexGuard<'_, Vec<u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
