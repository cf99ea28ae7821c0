//! PID 1 of a new pid namespace, as its parent holds it.

use std::{
    os::fd::OwnedFd,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use nix::sys::signal::Signal;

use crate::{children::ended::Ended, children::pidfd, children::reaper};

/// Keeps a pid namespace usable. Dropping it ends PID 1, and thus all processes inside, without waiting for them.
#[derive(Debug)]
pub struct Init {
    pidfd: Arc<OwnedFd>,
    /// PID 1 reads this until end of file. If our process is killed, the kernel closes it.
    _line: OwnedFd,
    ended: Ended,
    stays: AtomicUsize,
}

impl Init {
    pub(crate) fn new(pidfd: OwnedFd, line: OwnedFd) -> Self {
        let (pidfd, ended) = (Arc::new(pidfd), Ended::default());
        // The namespace lives until our own children inside are reaped, so a wait in `drop` could last forever.
        let tell = ended.clone();
        reaper::watch(Arc::clone(&pidfd), Box::new(move |_| tell.tell()));
        Self { pidfd, _line: line, ended, stays: AtomicUsize::new(0) }
    }
}

impl Drop for Init {
    fn drop(&mut self) {
        pidfd::kill(&self.pidfd, Signal::SIGKILL);
    }
}

/// Held while a user has a set open. When the last one for a pid namespace is dropped, all processes inside end, even
/// if work of nsset still holds the set.
#[derive(Debug)]
pub struct Stay(Option<Arc<Init>>);

impl Stay {
    pub(crate) fn new(init: &Arc<Init>) -> Self {
        init.stays.fetch_add(1, Ordering::SeqCst);
        Self(Some(Arc::clone(init)))
    }

    /// Ends it. If it was the last one, the namespace ends.
    pub fn end(mut self) -> Option<Ending> {
        self.leave()
    }

    fn leave(&mut self) -> Option<Ending> {
        let init = self.0.take()?;
        if init.stays.fetch_sub(1, Ordering::SeqCst) != 1 {
            return None;
        }
        pidfd::kill(&init.pidfd, Signal::SIGKILL);
        Some(Ending(init.ended.clone()))
    }
}

impl Drop for Stay {
    fn drop(&mut self) {
        self.leave();
    }
}

/// The end of a pid namespace, which has begun.
#[derive(Debug)]
pub struct Ending(Ended);

impl Ending {
    /// Calls the listener when PID 1 has ended, which happens after the end of all other processes in the namespace.
    /// The call is on another thread, or at once.
    pub fn when_over(&self, listener: impl FnOnce() + Send + 'static) {
        self.0.listen(listener);
    }
}
