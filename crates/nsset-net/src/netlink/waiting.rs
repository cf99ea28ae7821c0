//! How the user of a netlink socket waits for the kernel: as a task of a tokio runtime, or by blocking the calling thread.

use std::{future::Future, os::fd::AsFd, thread, time::Duration};

use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
};
use rtnetlink::sys::Socket;
use tokio::{
    io::Interest,
    task::yield_now,
    time::{Instant, sleep, timeout_at},
};

use crate::{error::NetlinkError, netlink::socket};

/// A socket that does not block, and how its user waits.
#[derive(Debug)]
pub(crate) enum WaitingSocket {
    /// The task waits, and its thread does other work. A wait needs a tokio runtime.
    Task(Socket),
    /// The thread waits in poll(2), so that the futures of this are always ready.
    Thread(Socket),
}

impl WaitingSocket {
    /// Returns the socket.
    pub fn get(&self) -> &Socket {
        match self {
            Self::Task(socket) | Self::Thread(socket) => socket,
        }
    }

    /// Waits until a datagram, or an error, can be received.
    pub async fn readable(&self, deadline: Instant) -> Result<(), NetlinkError> {
        match self {
            Self::Task(socket) => watch(socket, Interest::READABLE, deadline).await,
            Self::Thread(socket) => block(socket, PollFlags::POLLIN, deadline),
        }
    }

    /// Waits until a datagram can be sent.
    pub async fn writable(&self, deadline: Instant) -> Result<(), NetlinkError> {
        match self {
            Self::Task(socket) => watch(socket, Interest::WRITABLE, deadline).await,
            Self::Thread(socket) => block(socket, PollFlags::POLLOUT, deadline),
        }
    }

    /// Lets the other tasks of the thread run, if this is one of several.
    pub async fn give_way(&self) {
        if let Self::Task(_) = self {
            yield_now().await;
        }
    }

    pub async fn pause(&self, duration: Duration) {
        match self {
            Self::Task(_) => sleep(duration).await,
            Self::Thread(_) => thread::sleep(duration),
        }
    }
}

/// Waits as a task. The runtime watches the socket only for this time: the kernel has usually answered when send(2) returns, so most
/// sockets are never waited for, and a watched one would wake the runtime once for each answer.
async fn watch(socket: &Socket, interest: Interest, deadline: Instant) -> Result<(), NetlinkError> {
    let watched = socket::watch(socket, interest).map_err(NetlinkError::from)?;
    within(deadline, watched.ready(interest)).await.map(drop)
}

async fn within<T>(deadline: Instant, ready: impl Future<Output = std::io::Result<T>>) -> Result<T, NetlinkError> {
    match timeout_at(deadline, ready).await {
        Ok(ready) => ready.map_err(NetlinkError::from),
        Err(_) => Err(Errno::ETIMEDOUT.into()),
    }
}

fn block(socket: &Socket, events: PollFlags, deadline: Instant) -> Result<(), NetlinkError> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        // Rounded up: poll(2) counts whole milliseconds, and a shorter wait would end before the deadline.
        let left = PollTimeout::try_from(left + Duration::from_micros(999)).unwrap_or(PollTimeout::MAX);
        match poll(&mut [PollFd::new(socket.as_fd(), events)], left) {
            Ok(0) => return Err(Errno::ETIMEDOUT.into()),
            // An error of the socket also ends the wait: the next system call returns it.
            Ok(_) => return Ok(()),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}
