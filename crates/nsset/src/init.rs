//! PID 1 of a new pid namespace, as its parent holds it.

use std::{os::fd::OwnedFd, sync::Arc};

use nix::sys::signal::Signal;

use crate::{pidfd, reaper};

/// Keeps a pid namespace usable. Dropping it ends PID 1, and with it all that runs inside; it never waits.
#[derive(Debug)]
pub struct Init {
    pidfd: Arc<OwnedFd>,
    /// PID 1 reads this until end of file: the kernel closes it for us when we are killed.
    _line: OwnedFd,
}

impl Init {
    pub(crate) fn new(pidfd: OwnedFd, line: OwnedFd) -> Self {
        let pidfd = Arc::new(pidfd);
        // Its namespace lives until our own children inside are reaped, so waiting for it in `drop` could be for ever.
        reaper::watch(Arc::clone(&pidfd), Box::new(drop));
        Self { pidfd, _line: line }
    }
}

impl Drop for Init {
    fn drop(&mut self) {
        pidfd::kill(&self.pidfd, Signal::SIGKILL);
    }
}
