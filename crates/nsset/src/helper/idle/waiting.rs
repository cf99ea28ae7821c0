//! A helper that waits for a program.

use std::{
    io::IoSlice,
    os::fd::{AsRawFd, OwnedFd, RawFd},
    sync::Arc,
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    sys::{
        signal::Signal,
        socket::{AddressFamily, ControlMessage, MsgFlags, SockFlag, SockType, sendmsg, socketpair},
    },
};

use crate::{
    children::{pidfd, reaper},
    error::{Result, SystemError},
    helper::ancillary,
    helper::program::Program,
    helper::vfork::Process,
    retry::uninterrupted,
};

/// How long a helper may take to end when it has waited long enough.
const MARGIN: Duration = Duration::from_millis(200);

/// A helper, and our end of its control socket.
#[derive(Debug)]
pub struct Started {
    pub process: Process,
    pub control: OwnedFd,
}

/// A helper that has nothing to do. The reaper waits for its end. Dropping this ends it.
#[derive(Debug)]
pub struct Waiting(Option<Parts>);

#[derive(Debug)]
struct Parts {
    pid: i32,
    pidfd: Arc<OwnedFd>,
    control: OwnedFd,
    watched: reaper::Watched,
}

/// A connected pair: our end, which learns who sends, and that of the helper.
pub fn control() -> Result<(OwnedFd, OwnedFd)> {
    // The end of the helper blocks; each call on our end is made non-blocking by its flags.
    let (ours, theirs) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)
        .map_err(|errno| SystemError::new(errno, "socketpair"))?;
    ancillary::ask_for_senders(&ours).map_err(|errno| SystemError::new(errno, "setsockopt(SO_PASSCRED)"))?;
    Ok((ours, theirs))
}

impl Started {
    /// Sends a packet of [`Program::packet`], with the descriptors of the program.
    pub fn send(&self, packet: &[u8], program: &Program<'_>) -> std::result::Result<(), Errno> {
        let fds: Vec<RawFd> = program.fds().map(|fd| fd.as_raw_fd()).collect();
        let rights = [ControlMessage::ScmRights(&fds)];
        let rights = if fds.is_empty() { &[] } else { rights.as_slice() };
        let flags = MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT;
        let packet = [IoSlice::new(packet)];
        uninterrupted(|| sendmsg::<()>(self.control.as_raw_fd(), &packet, rights, flags, None)).map(drop)
    }

    /// Ends the helper without waiting for that. Both descriptors are closed when it has ended, so that each helper that
    /// `/proc` shows has two.
    pub fn discard(self) {
        let Self { process, control } = self;
        pidfd::kill(&process.pidfd, Signal::SIGKILL);
        reaper::watch(process.pidfd.into(), Box::new(move |_| drop(control)));
    }
}

impl Waiting {
    /// Gives the helper to the reaper, which calls `on_end` when it has ended. It ends by itself after `idle`. If a program has
    /// stopped it, it is killed soon after that.
    pub fn new(helper: Started, idle: Duration, on_end: impl FnOnce() + Send + 'static) -> Self {
        let Started { process: Process { pid, pidfd }, control } = helper;
        let pidfd = Arc::new(pidfd);
        let deadline = Instant::now() + idle + MARGIN;
        let watched = reaper::watch_until(Some(deadline), Arc::clone(&pidfd), Box::new(move |_| on_end()));
        Self(Some(Parts { pid, pidfd, control, watched }))
    }

    pub fn pid(&self) -> i32 {
        self.0.as_ref().map_or(0, |parts| parts.pid)
    }

    /// Takes it back from the reaper. `None` if it has ended.
    pub fn release(mut self) -> Option<Started> {
        self.0.take()?.release()
    }
}

impl Parts {
    fn release(self) -> Option<Started> {
        let Self { pid, pidfd, control, watched } = self;
        if !watched.release() {
            return None;
        }
        Some(Started { process: Process { pid, pidfd: Arc::try_unwrap(pidfd).ok()? }, control })
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(helper) = self.0.take().and_then(Parts::release) {
            helper.discard();
        }
    }
}
