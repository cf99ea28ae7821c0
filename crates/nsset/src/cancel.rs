//! A way to end a wait from another thread.

use std::{
    os::fd::{AsFd, BorrowedFd},
    sync::Arc,
};

use nix::sys::eventfd::{EfdFlags, EventFd};

use crate::error::{Result, SystemError};

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
