//! Sets that are open already, on a thread where they cannot be objects yet.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use nsset::Stay;

pub struct HeldOpen {
    pub set: nsset::NamespaceSet,
    pub stay: Option<Stay>,
}

impl From<nsset::NamespaceSet> for HeldOpen {
    fn from(set: nsset::NamespaceSet) -> Self {
        Self { stay: set.stay(), set }
    }
}

/// The sets of one environment that were made, by the number of the request, until they are taken.
#[derive(Default)]
pub struct Made(Mutex<HashMap<u32, HeldOpen>>);

impl Made {
    pub fn all(&self) -> MutexGuard<'_, HashMap<u32, HeldOpen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
