//! PID 1 of a new pid namespace, as its parent holds it.

use std::os::fd::OwnedFd;

use nix::sys::signal::Signal;

use crate::{launch, reaper};

/// Keeps a pid namespace usable. Dropping it ends PID 1, and with it all that runs inside; it never waits.
#[derive(Debug)]
pub struct Init {
    pidfd: Option<OwnedFd>,
    /// PID 1 reads this until end of file: the kernel closes it for us when we are killed.
    _line: OwnedFd,
}

impl Init {
    pub(crate) fn new(pidfd: OwnedFd, line: OwnedFd) -> Self {
        Self { pidfd: Some(pidfd), _line: line }
    }
}

impl Drop for Init {
    fn drop(&mut self) {
        let Some(pidfd) = self.pidfd.take() else { return };
        // Its namespace lives until our own children inside are reaped, so waiting here could be for ever.
        launch::kill(&pidfd, Signal::SIGKILL);
        reaper::watch(pidfd.into(), Box::new(drop));
    }
}
