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
enum State {
    /// The thread of networks has the socket, or it is not created yet.
    #[default]
    Lent,
    Available(OwnedFd),
    /// The object has ended, and no longer needs the socket.
    Ended,
}

/// A socket that the object and the work on it share. When the object ends, the one of them that has the socket closes it.
#[derive(Clone, Default)]
pub struct LentSocket {
    state: Arc<Mutex<State>>,
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
        let mut state = self.state();
        if !matches!(*state, State::Ended) {
            *state = State::Available(socket);
        }
    }

    /// Takes the socket, if the work does not have it.
    pub fn take(&self) -> Option<OwnedFd> {
        let mut state = self.state();
        match mem::take(&mut *state) {
            State::Available(socket) => Some(socket),
            other => {
                *state = other;
                None
            }
        }
    }

    /// Closes the socket and ends the work.
    pub fn end(&self) {
        *self.state() = State::Ended;
        self.ending.notify_waiters();
    }

    /// Waits for work on the socket, until `end` is called.
    pub async fn until_ended<T>(&self, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        let canceled = || Err(Error::from(SystemError::new(Errno::ECANCELED, "poll")).into());
        // Created before the check, so that it also gets a notification between the check and the wait.
        let ending = self.ending.notified();
        if matches!(*self.state(), State::Ended) {
            return canceled();
        }
        match select(pin!(work), pin!(ending)).await {
            Either::Left((outcome, _)) => outcome,
            Either::Right(_) => canceled(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
