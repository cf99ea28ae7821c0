//! How a wait ends early: from another thread, or by itself.

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

/// Waits until there is something to read from `fd`, or an end, and says whether there is: not after so long, nor after a
/// signal. With nothing to read from, it is a pause. To be cancelled is an error.
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
