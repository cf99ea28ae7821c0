//! Asks the kernel one thing at a time, and hears the whole answer.
//!
//! The kernel answers within send(2), so that an answer is there before it is waited for; should there be none, the wait
//! has an end.

use std::{
    future::Future,
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
    time::Duration,
};

use nix::{
    errno::Errno,
    sys::socket::{MsgFlags, send},
};
use tokio::{
    io::unix::AsyncFd,
    sync::Mutex,
    time::{Instant, timeout_at},
};

use crate::{
    answer::{End, Hear, Hearing},
    attributes::Malformed,
    error::{Error, Refusal},
    request::Request,
    socket::{self, Protocol},
};

/// How long the kernel may be silent.
const PATIENCE: Duration = Duration::from_secs(10);

/// The kernel puts at most this much of a dump into one datagram (netlink_dump() of net/netlink/af_netlink.c).
const DATAGRAM: usize = 32 * 1024;

/// How often a dump is asked for again when what it lists changed meanwhile.
const ATTEMPTS: u32 = 32;

/// A socket and what goes on over it.
#[derive(Debug)]
pub(crate) struct Conversation {
    socket: AsyncFd<OwnedFd>,
    /// The number of the latest request. Who has it may speak.
    turn: Mutex<u32>,
}

impl Conversation {
    /// Takes a socket of this protocol that nobody else uses. To be called inside a tokio runtime.
    pub fn open(socket: OwnedFd, protocol: Protocol) -> Result<Self, Error> {
        if !socket::speaks(socket.as_fd(), protocol) {
            return Err(Error::InvalidArgument(format!("the descriptor is no socket of {protocol}")));
        }
        socket::prepare(socket.as_fd()).map_err(|errno| Refusal::from(errno).of("setsockopt", ""))?;
        let socket = socket::watch(socket).map_err(|errno| Refusal::from(errno).of("epoll_ctl", ""))?;
        Ok(Self { socket, turn: Mutex::new(0) })
    }

    /// Has something done.
    pub async fn act(&self, request: Request) -> Result<(), Refusal> {
        self.ask(&mut { request }, &mut |_| Ok(())).await.map(drop)
    }

    /// Asks for one thing.
    pub async fn get<T: Send>(
        &self,
        request: Request,
        read: impl Fn(&[u8]) -> Result<T, Malformed> + Sync,
    ) -> Result<T, Refusal> {
        self.act_and_hear(request, read).await?.ok_or_else(|| Malformed.into())
    }

    /// Has something done, and hears what the kernel tells of it, if it does.
    pub async fn act_and_hear<T: Send>(
        &self,
        request: Request,
        read: impl Fn(&[u8]) -> Result<T, Malformed> + Sync,
    ) -> Result<Option<T>, Refusal> {
        let mut answer = None;
        let mut hear = |message: &[u8]| {
            answer = Some(read(message)?);
            Ok(())
        };
        self.ask(&mut { request }, &mut hear).await?;
        Ok(answer)
    }

    /// Asks for everything, of which `read` keeps what it wants.
    pub async fn dump<T: Send>(
        &self,
        mut request: Request,
        read: impl Fn(&[u8]) -> Result<Option<T>, Malformed> + Sync,
    ) -> Result<Vec<T>, Refusal> {
        for _ in 0..ATTEMPTS {
            let mut all = Vec::new();
            let mut hear = |message: &[u8]| {
                all.extend(read(message)?);
                Ok(())
            };
            let end = self.ask(&mut request, &mut hear).await?;
            if !end.is_interrupted {
                return Ok(all);
            }
        }
        Err(Errno::EAGAIN.into())
    }

    async fn ask(&self, request: &mut Request, hear: &mut Hear<'_>) -> Result<End, Refusal> {
        let mut sequence = self.turn.lock().await;
        *sequence = sequence.wrapping_add(1);
        // Kept for the next turn, it would be most of what a network takes that is open.
        let mut buffer = vec![0; DATAGRAM];
        let deadline = Instant::now() + PATIENCE;
        self.send(request.numbered(*sequence), deadline).await?;
        let mut hearing = Hearing::of(*sequence, hear);
        loop {
            let length = self.receive(&mut buffer, deadline).await?;
            if hearing.datagram(&buffer[..length]) {
                return hearing.outcome;
            }
        }
    }

    async fn send(&self, bytes: &[u8], deadline: Instant) -> Result<(), Refusal> {
        loop {
            match send(self.socket.as_raw_fd(), bytes, MsgFlags::empty()) {
                Ok(_) => return Ok(()),
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => {
                    let mut ready = within(deadline, self.socket.writable()).await?;
                    ready.clear_ready();
                }
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    /// Receives the next datagram.
    async fn receive(&self, buffer: &mut [u8], deadline: Instant) -> Result<usize, Refusal> {
        loop {
            match socket::receive(self.as_fd(), buffer) {
                Ok(length) => return Ok(length),
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => {
                    let mut ready = within(deadline, self.socket.readable()).await?;
                    ready.clear_ready();
                }
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}

impl AsFd for Conversation {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.get_ref().as_fd()
    }
}

async fn within<T>(deadline: Instant, ready: impl Future<Output = std::io::Result<T>>) -> Result<T, Refusal> {
    match timeout_at(deadline, ready).await {
        Ok(ready) => ready.map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or(0)).into()),
        Err(_) => Err(Errno::ETIMEDOUT.into()),
    }
}

#[cfg(test)]
mod tests {
    use netlink_packet_route::{RouteNetlinkMessage, link::LinkMessage};
    use nix::sys::socket::{AddressFamily, SockFlag, SockProtocol, SockType, socket};

    use super::*;
    use crate::link::{Link, LinkKind};

    fn rtnetlink() -> OwnedFd {
        let protocol = SockProtocol::NetlinkRoute;
        socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, protocol).unwrap()
    }

    fn get_lo() -> RouteNetlinkMessage {
        let mut message = LinkMessage::default();
        message.header.index = 1;
        RouteNetlinkMessage::GetLink(message)
    }

    #[tokio::test(start_paused = true)]
    async fn silence_ends_and_what_comes_late_is_not_taken_for_the_next_answer() {
        let conversation = Conversation::open(rtnetlink(), Protocol::Route).unwrap();
        let refusal = conversation.get(Request::endless(get_lo()), Link::read).await.unwrap_err();
        assert_eq!(refusal.errno, Errno::ETIMEDOUT);
        // Nobody hears this one.
        conversation.send(Request::act(get_lo()).numbered(77), Instant::now()).await.unwrap();
        let link = conversation.get(Request::act(get_lo()), Link::read).await.unwrap();
        assert_eq!(link.kind, LinkKind::Loopback);
    }
}
