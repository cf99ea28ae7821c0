//! Ends waits early, by a cancellation from another thread or by a time limit.

use std::{
    os::fd::{AsFd, BorrowedFd},
    sync::Arc,
    time::Duration,
};

use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::eventfd::{EfdFlags, EventFd},
};

use crate::error::{Error, Result, SystemError};

/// The most time that the helper, or a program that nsset waits for, may take in all. It normally takes well under a
/// millisecond.
pub const TIME_LIMIT: Duration = Duration::from_secs(10);

/// Cancels the operation that it was passed to. A clone cancels the same operation.
#[derive(Clone, Debug)]
pub struct Cancel(Arc<EventFd>);

impl Cancel {
    pub fn new() -> Result<Self> {
        let event = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)
            .map_err(|errno| SystemError::new(errno, "eventfd2"))?;
        Ok(Self(Arc::new(event)))
    }

    pub fn cancel(&self) {
        // The write fails only if the counter is full, and then the operation is cancelled already.
        let _ = self.0.write(1);
    }
}

impl AsFd for Cancel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Waits until `fd` is readable or at its end, and returns whether it is. It is not after the timeout or a signal.
/// Without an `fd`, this is a pause. A cancellation is an error.
pub fn wait_readable(fd: Option<BorrowedFd<'_>>, cancel: Option<&Cancel>, timeout: PollTimeout) -> Result<bool> {
    let both = fd.into_iter().chain(cancel.map(Cancel::as_fd));
    let mut fds: Vec<_> = both.map(|fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
    match poll(&mut fds, timeout) {
        Ok(_) => {}
        Err(Errno::EINTR) => return Ok(false),
        Err(errno) => return Err(SystemError::new(errno, "poll").into()),
    }
    let mut ready = fds.iter().map(|fd| fd.any() == Some(true));
    let is_readable = fd.is_some() && ready.next() == Some(true);
    if ready.next() == Some(true) { Err(Error::Aborted) } else { Ok(is_readable) }
}
