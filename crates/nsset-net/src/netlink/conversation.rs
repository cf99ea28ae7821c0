//! Asks the kernel one thing at a time, and hears the whole answer.
//!
//! The kernel answers within send(2), so that an answer is there before it is waited for; should there be none, the wait
//! has an end.

use std::{future::Future, os::fd::OwnedFd, time::Duration};

use nix::errno::Errno;
use rtnetlink::sys::Socket;
use tokio::{
    io::unix::AsyncFd,
    sync::Mutex,
    time::{Instant, sleep, timeout_at},
};

use crate::{
    error::{Error, Refusal},
    netlink::answer::{End, Hear, Hearing},
    netlink::attributes::Malformed,
    netlink::request::Request,
    netlink::socket::{self, Group, Membership, Received},
};

/// How long the kernel may be silent.
const PATIENCE: Duration = Duration::from_secs(10);

/// The kernel puts at most this much of a dump into one datagram (netlink_dump() of net/netlink/af_netlink.c).
const DATAGRAM: usize = 32 * 1024;

/// How often a dump is asked for again when what it lists changed meanwhile.
pub(crate) const ATTEMPTS: u32 = 32;

/// How often an answer is waited for again when the kernel had no memory to give it. What was asked for is done by then, and a
/// dump goes on where it was.
const PATIENT_TRIES: u32 = 8;

/// The time between two of them.
const PAUSE: Duration = Duration::from_millis(1);

/// A socket and what goes on over it.
#[derive(Debug)]
pub(crate) struct Conversation {
    socket: AsyncFd<Socket>,
    /// Who has it may speak.
    turn: Mutex<Turn>,
}

/// Where a conversation is.
#[derive(Debug)]
struct Turn {
    /// The number of the latest request.
    sequence: u32,
    /// How long a datagram may be: a link with hundreds of names has one that is longer than others.
    room: usize,
    /// Whether there may be something left of an answer that was given up: the kernel begins no dump before another has ended.
    has_rest: bool,
}

/// How a question was answered.
enum Answer {
    Whole(End),
    /// A datagram was longer than there was room for. There is more room now.
    Longer,
}

/// Everything of a kind, as one dump told it.
#[derive(Debug)]
pub(crate) struct Dump<T> {
    pub parts: Vec<Part<T>>,
    /// The kernel says that it changed meanwhile.
    pub is_interrupted: bool,
    /// Notifications say so.
    pub has_changed: bool,
}

/// What one datagram said. The kernel writes one at a time: within it nothing is missing.
#[derive(Debug)]
pub(crate) struct Part<T> {
    pub things: Vec<T>,
    /// How many bytes said it.
    pub length: usize,
}

impl<T> Dump<T> {
    pub fn into_all(self) -> Vec<T> {
        self.parts.into_iter().flat_map(|part| part.things).collect()
    }
}

impl Conversation {
    /// Takes a netlink socket that nobody else uses. To be called inside a tokio runtime.
    pub fn open(socket: OwnedFd) -> Result<Self, Error> {
        let socket = socket::own(socket);
        socket::prepare(&socket).map_err(|error| Refusal::from(error).of("setsockopt", ""))?;
        let socket = socket::watch(socket).map_err(|error| Refusal::from(error).of("epoll_ctl", ""))?;
        Ok(Self { socket, turn: Mutex::new(Turn { sequence: 0, room: DATAGRAM, has_rest: false }) })
    }

    /// The socket itself.
    pub fn socket(&self) -> &Socket {
        self.socket.get_ref()
    }

    /// Has something done.
    pub async fn act(&self, request: Request) -> Result<(), Refusal> {
        self.act_and_hear(request, |_| Ok(())).await.map(drop)
    }

    /// Asks for one thing.
    pub async fn get<T: Send>(
        &self,
        request: Request,
        read: impl Fn(&[u8]) -> Result<T, Malformed> + Sync,
    ) -> Result<T, Refusal> {
        for _ in 0..ATTEMPTS {
            if let (answer, Answer::Whole(_)) = self.ask_for_one(request.clone(), &read).await? {
                return answer.ok_or_else(|| Malformed.into());
            }
        }
        Err(Errno::EMSGSIZE.into())
    }

    /// Has something done, and hears what the kernel tells of it, if it does.
    pub async fn act_and_hear<T: Send>(
        &self,
        request: Request,
        read: impl Fn(&[u8]) -> Result<T, Malformed> + Sync,
    ) -> Result<Option<T>, Refusal> {
        // It is done, even where the answer is cut off: it is not asked again.
        self.ask_for_one(request, &read).await.map(|(answer, _)| answer)
    }

    async fn ask_for_one<T: Send>(
        &self,
        mut request: Request,
        read: &(impl Fn(&[u8]) -> Result<T, Malformed> + Sync),
    ) -> Result<(Option<T>, Answer), Refusal> {
        let mut found = None;
        let mut hear = |_, message: &[u8]| {
            found = Some(read(message)?);
            Ok(())
        };
        let mut turn = self.turn.lock().await;
        let answer = self.ask(&mut turn, &mut request, &mut hear, None).await?;
        Ok((found, answer))
    }

    /// Asks for everything, of which `read` keeps what it wants.
    pub async fn dump<T: Send>(
        &self,
        mut request: Request,
        read: impl Fn(&[u8]) -> Result<Option<T>, Malformed> + Sync,
    ) -> Result<Vec<T>, Refusal> {
        for _ in 0..ATTEMPTS {
            let dump = self.dump_once(&mut request, &read).await?;
            if !dump.is_interrupted {
                return Ok(dump.into_all());
            }
        }
        Err(Errno::EAGAIN.into())
    }

    /// Asks once for everything. It may have changed meanwhile.
    pub async fn dump_once<T: Send>(
        &self,
        request: &mut Request,
        read: &(impl Fn(&[u8]) -> Result<Option<T>, Malformed> + Sync),
    ) -> Result<Dump<T>, Refusal> {
        self.dump_watching(request, read, &[]).await
    }

    /// Asks once for everything, of which the kernel does not say itself whether it changed meanwhile: the notifications of
    /// these groups do.
    pub async fn dump_watching<T: Send>(
        &self,
        request: &mut Request,
        read: &(impl Fn(&[u8]) -> Result<Option<T>, Malformed> + Sync),
        groups: &[Group],
    ) -> Result<Dump<T>, Refusal> {
        for _ in 0..ATTEMPTS {
            let mut parts: Vec<Part<T>> = Vec::new();
            let mut latest = 0;
            let mut hear = |number, message: &[u8]| {
                if number != latest {
                    latest = number;
                    parts.push(Part { things: Vec::new(), length: 0 });
                }
                if let Some(part) = parts.last_mut() {
                    part.length += message.len();
                    part.things.extend(read(message)?);
                }
                Ok(())
            };
            let mut has_changed = false;
            let mut turn = self.turn.lock().await;
            let membership = Membership::join(self.socket(), groups)?;
            let watch = (!groups.is_empty()).then_some(&mut has_changed);
            let answer = self.ask(&mut turn, request, &mut hear, watch).await;
            drop(membership);
            if !groups.is_empty() {
                // What is left of notifications may have the number of a later request: who made a change chose it.
                turn.has_rest |= self.pass_over_the_rest(&mut [0]).is_err();
            }
            drop(turn);
            if let Answer::Whole(end) = answer? {
                return Ok(Dump { parts, is_interrupted: end.is_interrupted, has_changed });
            }
        }
        Err(Errno::EMSGSIZE.into())
    }

    async fn ask(
        &self,
        turn: &mut Turn,
        request: &mut Request,
        hear: &mut Hear<'_>,
        mut has_changed: Option<&mut bool>,
    ) -> Result<Answer, Refusal> {
        if turn.has_rest {
            self.pass_over_the_rest(&mut [0])?;
            turn.has_rest = false;
        }
        turn.sequence = turn.sequence.wrapping_add(1);
        // Kept for the next turn, it would be most of what a network takes that is open.
        let mut buffer = vec![0; turn.room];
        let deadline = Instant::now() + PATIENCE;
        self.send(request.numbered(turn.sequence), deadline).await?;
        // Until the end was heard: an error, or the one who asked, may end this before.
        turn.has_rest = true;
        let mut tries = PATIENT_TRIES;
        let mut hearing = Hearing::of(turn.sequence, hear);
        loop {
            let received = match self.receive(&mut buffer, deadline).await {
                Ok(received) => received,
                // Notifications were lost. Answers never are.
                Err(refusal) if refusal.errno == Errno::ENOBUFS && has_changed.is_some() => {
                    has_changed.as_deref_mut().into_iter().for_each(|changed| *changed = true);
                    continue;
                }
                Err(refusal) if matches!(refusal.errno, Errno::ENOMEM | Errno::ENOBUFS) && tries > 0 => {
                    tries -= 1;
                    sleep(PAUSE).await;
                    continue;
                }
                Err(refusal) => return Err(refusal),
            };
            // What the kernel tells who asked of what was made goes to a group, too; who watches one does not ask for that.
            if !received.is_kernels || (received.is_for_group && has_changed.is_some()) {
                has_changed.as_deref_mut().into_iter().for_each(|changed| *changed = true);
                continue;
            }
            let Some(datagram) = buffer.get(..received.length) else {
                turn.room = received.length.next_multiple_of(DATAGRAM);
                turn.has_rest = self.pass_over_the_rest(&mut buffer).is_err();
                return Ok(Answer::Longer);
            };
            if hearing.datagram(datagram) {
                // A message that makes no sense may have been the end.
                turn.has_rest = matches!(&hearing.outcome, Err(refusal) if refusal.errno == Errno::EBADMSG);
                return hearing.outcome.map(Answer::Whole);
            }
        }
    }

    /// Receives what there is left. The kernel begins no other answer before, and writes the next datagram of a dump when one is
    /// taken, so that there is none left when there is none.
    fn pass_over_the_rest(&self, buffer: &mut [u8]) -> Result<(), Errno> {
        let mut tries = PATIENT_TRIES;
        loop {
            match socket::receive(self.socket(), buffer) {
                Ok(_) | Err(Errno::EINTR | Errno::ENOBUFS) => {}
                Err(Errno::EAGAIN) => return Ok(()),
                Err(Errno::ENOMEM) if tries > 0 => tries -= 1,
                Err(errno) => return Err(errno),
            }
        }
    }

    async fn send(&self, bytes: &[u8], deadline: Instant) -> Result<(), Refusal> {
        loop {
            match socket::send(self.socket(), bytes) {
                Ok(()) => return Ok(()),
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
    async fn receive(&self, buffer: &mut [u8], deadline: Instant) -> Result<Received, Refusal> {
        loop {
            match socket::receive(self.socket(), buffer) {
                Ok(received) => return Ok(received),
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

async fn within<T>(deadline: Instant, ready: impl Future<Output = std::io::Result<T>>) -> Result<T, Refusal> {
    match timeout_at(deadline, ready).await {
        Ok(ready) => ready.map_err(Refusal::from),
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

    #[tokio::test]
    async fn a_dump_that_was_given_up_is_not_in_the_way_of_the_next() {
        let conversation = Conversation::open(rtnetlink()).unwrap();
        let dump = || Request::dump(RouteNetlinkMessage::GetLink(LinkMessage::default()));
        // The kernel has begun to answer, and its answer is not read.
        conversation.send(dump().numbered(77), Instant::now()).await.unwrap();
        conversation.turn.lock().await.has_rest = true;
        let links = conversation.dump(dump(), |message| Link::read(message).map(Some)).await.unwrap();
        assert!(links.iter().any(|link| link.kind == LinkKind::Loopback));
        assert!(!conversation.turn.lock().await.has_rest);
    }

    #[tokio::test(start_paused = true)]
    async fn silence_ends_and_what_comes_late_is_not_taken_for_the_next_answer() {
        let conversation = Conversation::open(rtnetlink()).unwrap();
        let refusal = conversation.get(Request::endless(get_lo()), Link::read).await.unwrap_err();
        assert_eq!(refusal.errno, Errno::ETIMEDOUT);
        // Nobody hears this one.
        conversation.send(Request::act(get_lo()).numbered(77), Instant::now()).await.unwrap();
        let link = conversation.get(Request::act(get_lo()), Link::read).await.unwrap();
        assert_eq!(link.kind, LinkKind::Loopback);
    }
}
