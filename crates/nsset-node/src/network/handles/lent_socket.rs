//! A socket with which the thread of networks works for an object of JavaScript.

use std::{
    mem,
    os::fd::OwnedFd,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::future::{Either, select};
use nix::errno::Errno;
use nsset::{Error, SystemError};
use tokio::sync::Notify;

use crate::network_thread::failure::Failure;

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

    /// Brings the socket back. It is closed if `end` was called meanwhile.
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
        self.ending.notify_waiters();
    }

    /// Waits for work on the socket, until `end` is called.
    pub async fn unless_ended<T>(&self, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        let canceled = || Err(Error::from(SystemError::new(Errno::ECANCELED, "poll")).into());
        // Made before the look: it does not miss what happens after.
        let ending = self.ending.notified();
        if matches!(*self.place(), Place::Ended) {
            return canceled();
        }
        match select(pin!(work), pin!(ending)).await {
            Either::Left((outcome, _)) => outcome,
            Either::Right(_) => canceled(),
        }
    }

    fn place(&self) -> MutexGuard<'_, Place> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
