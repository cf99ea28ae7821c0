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

/// Keeps a pid namespace usable. Dropping it ends PID 1, and with it all that runs inside; it never waits.
#[derive(Debug)]
pub struct Init {
    pidfd: Arc<OwnedFd>,
    /// PID 1 reads this until end of file: the kernel closes it for us when we are killed.
    _line: OwnedFd,
    ended: Ended,
    stays: AtomicUsize,
}

impl Init {
    pub(crate) fn new(pidfd: OwnedFd, line: OwnedFd) -> Self {
        let (pidfd, ended) = (Arc::new(pidfd), Ended::default());
        // Its namespace lives until our own children inside are reaped, so waiting for it in `drop` could be for ever.
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

/// That a user holds a set open. With the last one of a pid namespace all inside ends, whatever work of ours may still hold
/// on to the set.
#[derive(Debug)]
pub struct Stay(Option<Arc<Init>>);

impl Stay {
    pub(crate) fn new(init: &Arc<Init>) -> Self {
        init.stays.fetch_add(1, Ordering::SeqCst);
        Self(Some(Arc::clone(init)))
    }

    /// Ends it; where it was the last one, the namespace ends.
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

/// The end of a pid namespace, which is under way.
#[derive(Debug)]
pub struct Ending(Ended);

impl Ending {
    /// Calls when PID 1 is gone, which it is only after everything else in the namespace; on another thread, or at once.
    pub fn when_over(&self, listener: impl FnOnce() + Send + 'static) {
        self.0.listen(listener);
    }
}
