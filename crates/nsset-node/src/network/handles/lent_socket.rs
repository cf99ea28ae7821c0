//! A socket with which the thread of networks works for an object of JavaScript.

use std::{
    mem,
    os::fd::OwnedFd,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{Notify, futures::OwnedNotified};

#[derive(Default)]
enum Place {
    /// The work has it, if there is one yet.
    #[default]
    Away,
    Here(OwnedFd),
    /// It is not wanted any more.
    Ended,
}

/// Shared by the object and the work. The socket is closed by whichever has it when the object ends it.
#[derive(Clone, Default)]
pub struct LentSocket {
    place: Arc<Mutex<Place>>,
    ending: Arc<Notify>,
}

impl LentSocket {
    pub fn new(socket: OwnedFd) -> Self {
        let lent = Self::default();
        lent.put(socket);
        lent
    }

    /// Brings it back; it is closed if it is not wanted any more.
    pub fn put(&self, socket: OwnedFd) {
        let mut place = self.place();
        if !matches!(*place, Place::Ended) {
            *place = Place::Here(socket);
        }
    }

    /// The socket, if the work does not have it.
    pub fn take(&self) -> Option<OwnedFd> {
        let mut place = self.place();
        match mem::take(&mut *place) {
            Place::Here(socket) => Some(socket),
            other => {
                *place = other;
                None
            }
        }
    }

    /// Closes it, and ends the work.
    pub fn end(&self) {
        *self.place() = Place::Ended;
        self.ending.notify_one();
    }

    /// Ends when `end` is called. Made before that, it does not miss it.
    pub fn ended(&self) -> OwnedNotified {
        Arc::clone(&self.ending).notified_owned()
    }

    fn place(&self) -> MutexGuard<'_, Place> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
