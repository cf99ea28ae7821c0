//! A socket of a JavaScript object that the thread of networks uses.

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
    /// The thread of networks has the socket, or it is not created yet.
    #[default]
    Away,
    Here(OwnedFd),
    /// The object has ended, and no longer needs the socket.
    Ended,
}

/// A socket that the object and the work on it share. When the object ends, the one of them that has the socket closes it.
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

    /// Returns the socket after the work. The socket is closed if `end` was called in the meantime.
    pub fn put(&self, socket: OwnedFd) {
        let mut place = self.place();
        if !matches!(*place, Place::Ended) {
            *place = Place::Here(socket);
        }
    }

    /// Takes the socket, if the work does not have it.
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

    /// Closes the socket and ends the work.
    pub fn end(&self) {
        *self.place() = Place::Ended;
        self.ending.notify_waiters();
    }

    /// Waits for work on the socket, until `end` is called.
    pub async fn unless_ended<T>(&self, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        let canceled = || Err(Error::from(SystemError::new(Errno::ECANCELED, "poll")).into());
        // Created before the check, so that it also gets a notification between the check and the wait.
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
