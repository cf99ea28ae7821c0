//! How a wait ends early: from another thread, or by itself.

use std::{
    os::fd::{AsFd, BorrowedFd},
    sync::Arc,
    time::Duration,
};

use nix::sys::eventfd::{EfdFlags, EventFd};

use crate::error::{Result, SystemError};

/// How long the helper, or a program that it waits for, may take for everything; it takes well under a millisecond.
pub const TIME_LIMIT: Duration = Duration::from_secs(10);

/// Cancels the operation it was given to. A clone cancels the same one.
#[derive(Clone, Debug)]
pub struct Cancel(Arc<EventFd>);

impl Cancel {
    pub fn new() -> Result<Self> {
        let event = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)
            .map_err(|errno| SystemError::new(errno, "eventfd2"))?;
        Ok(Self(Arc::new(event)))
    }

    pub fn cancel(&self) {
        // Fails only when the counter is full, and then it was cancelled before.
        let _ = self.0.write(1);
    }
}

impl AsFd for Cancel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
