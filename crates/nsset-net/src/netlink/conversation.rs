//! Sends one request at a time to the kernel, and receives the whole answer.
//!
//! The kernel answers during send(2), so the answer usually exists before this waits for it. The wait has a time limit.

mod commit;

use std::{os::fd::OwnedFd, time::Duration};

use nix::errno::Errno;
use rtnetlink::sys::Socket;
use tokio::{sync::Mutex, time::Instant};

use crate::{
    error::{Error, NetlinkError},
    netlink::answer::{AnswerReader, End, OnMessage},
    netlink::attributes::Malformed,
    netlink::buffer::Buffer,
    netlink::request::Request,
    netlink::socket::{self, Group, Membership, Received},
    netlink::waiting::WaitingSocket,
};

/// The time limit for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// The kernel puts at most this much of a dump into one datagram (netlink_dump() of net/netlink/af_netlink.c).
const DATAGRAM: usize = 32 * 1024;

/// How many times a dump is requested if the objects change during it.
pub(crate) const ATTEMPTS: u32 = 32;

/// After this many datagrams of an answer, requests about other networks get their turn: the kernel always has the next one ready.
const TURN: u32 = 4;

/// How many times receiving is tried again if the kernel has no memory for the answer. By then the request is done, and a dump
/// continues where it was.
const PATIENT_TRIES: u32 = 8;

/// The time between two such attempts.
const PAUSE: Duration = Duration::from_millis(1);

/// A socket for requests and their answers.
#[derive(Debug)]
pub(crate) struct Conversation {
    socket: WaitingSocket,
    /// The holder of this lock may use the socket.
    turn: Mutex<Turn>,
}

/// The state of a conversation.
#[derive(Debug)]
struct Turn {
    /// The sequence number of the latest request.
    sequence: u32,
    /// The size of the buffer for a datagram. A link with hundreds of alternative names needs a larger one.
    room: usize,
    /// Whether the socket may have the rest of an abandoned answer: the kernel starts no dump before the previous one has ended.
    has_rest: bool,
}

/// The result of a request.
enum Answer {
    Whole(End),
    /// A datagram was longer than the buffer. The next buffer is larger.
    Longer,
}

/// All objects of a dump.
#[derive(Debug)]
pub(crate) struct Dump<T> {
    pub parts: Vec<Part<T>>,
    /// The kernel reported that the objects changed during the dump.
    pub is_interrupted: bool,
    /// Notifications reported changes during the dump.
    pub has_changed: bool,
}

/// The objects of one datagram. The kernel writes a datagram atomically, so no object is missing within it.
#[derive(Debug)]
pub(crate) struct Part<T> {
    pub things: Vec<T>,
    /// The size of the objects in bytes.
    pub length: usize,
}

impl<T> Dump<T> {
    pub fn into_all(self) -> Vec<T> {
        self.parts.into_iter().flat_map(|part| part.things).collect()
    }
}

impl Conversation {
    /// Takes a netlink socket that no other code uses. Its requests must run inside a tokio runtime.
    pub fn open(socket: OwnedFd) -> Result<Self, Error> {
        prepared(socket).map(WaitingSocket::Task).map(Self::over)
    }

    /// Like `open`, but needs no runtime: the calling thread waits for the kernel, so that all futures of this are ready when they
    /// are first polled, if only one thread uses this.
    pub fn open_blocking(socket: OwnedFd) -> Result<Self, Error> {
        prepared(socket).map(WaitingSocket::Thread).map(Self::over)
    }

    fn over(socket: WaitingSocket) -> Self {
        Self { socket, turn: Mutex::new(Turn { sequence: 0, room: DATAGRAM, has_rest: false }) }
    }

    /// Returns the socket.
    pub fn socket(&self) -> &Socket {
        self.socket.get()
    }

    /// Sends a request and waits for its acknowledgement.
    pub async fn act(&self, request: Request) -> Result<(), NetlinkError> {
        self.act_and_read(request, |_| Ok(())).await.map(drop)
    }

    /// Reads one object.
    pub async fn get<T: Send>(
        &self,
        request: Request,
        read: impl Fn(&[u8]) -> Result<T, Malformed> + Sync,
    ) -> Result<T, NetlinkError> {
        for _ in 0..ATTEMPTS {
            if let (answer, Answer::Whole(_)) = self.ask_for_one(request.clone(), &read).await? {
                return answer.ok_or_else(|| Malformed.into());
            }
        }
        Err(Errno::EMSGSIZE.into())
    }

    /// Sends a request and returns the object that the kernel reports, if it does.
    pub async fn act_and_read<T: Send>(
        &self,
        request: Request,
        read: impl Fn(&[u8]) -> Result<T, Malformed> + Sync,
    ) -> Result<Option<T>, NetlinkError> {
        // The request is done even if the answer was truncated, so it must not be sent again.
        self.ask_for_one(request, &read).await.map(|(answer, _)| answer)
    }

    async fn ask_for_one<T: Send>(
        &self,
        mut request: Request,
        read: &(impl Fn(&[u8]) -> Result<T, Malformed> + Sync),
    ) -> Result<(Option<T>, Answer), NetlinkError> {
        let mut found = None;
        let mut on_message = |_, message: &[u8]| {
            found = Some(read(message)?);
            Ok(())
        };
        let mut turn = self.turn.lock().await;
        let answer = self.ask(&mut turn, &mut request, &mut on_message, None).await?;
        Ok((found, answer))
    }

    /// Lists all objects that `read` returns. Repeats the dump if the objects change during it.
    pub async fn dump<T: Send>(
        &self,
        mut request: Request,
        read: impl Fn(&[u8]) -> Result<Option<T>, Malformed> + Sync,
    ) -> Result<Vec<T>, NetlinkError> {
        for _ in 0..ATTEMPTS {
            let dump = self.dump_once(&mut request, &read).await?;
            if !dump.is_interrupted {
                return Ok(dump.into_all());
            }
            self.socket.give_way().await;
        }
        Err(Errno::EAGAIN.into())
    }

    /// Lists all objects once. They may have changed during the dump.
    pub async fn dump_once<T: Send>(
        &self,
        request: &mut Request,
        read: &(impl Fn(&[u8]) -> Result<Option<T>, Malformed> + Sync),
    ) -> Result<Dump<T>, NetlinkError> {
        self.dump_watching(request, read, &[]).await
    }

    /// Lists all objects once, of a kind for which the kernel does not report changes during a dump: the notifications of these
    /// groups report them.
    pub async fn dump_watching<T: Send>(
        &self,
        request: &mut Request,
        read: &(impl Fn(&[u8]) -> Result<Option<T>, Malformed> + Sync),
        groups: &[Group],
    ) -> Result<Dump<T>, NetlinkError> {
        for _ in 0..ATTEMPTS {
            let mut parts: Vec<Part<T>> = Vec::new();
            let mut latest = 0;
            let mut on_message = |number, message: &[u8]| {
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
            if let Some((end, has_changed)) = self.dump_messages(request, &mut on_message, groups).await? {
                return Ok(Dump { parts, is_interrupted: end.is_interrupted, has_changed });
            }
        }
        Err(Errno::EMSGSIZE.into())
    }

    /// Lists all objects of a kind for which the kernel does not report changes during a dump. Repeats the dump if notifications of
    /// these groups report changes between its datagrams.
    pub async fn dump_unchanged<T: Send>(
        &self,
        mut request: Request,
        read: &(impl Fn(&[u8]) -> Result<Option<T>, Malformed> + Sync),
        groups: &[Group],
    ) -> Result<Vec<T>, NetlinkError> {
        for _ in 0..ATTEMPTS {
            let dump = self.dump_watching(&mut request, read, groups).await?;
            if !dump.is_interrupted && (!dump.has_changed || dump.parts.len() <= 1) {
                return Ok(dump.into_all());
            }
            self.socket.give_way().await;
        }
        Err(Errno::EAGAIN.into())
    }

    /// Lists objects once and passes on each as it arrives. Returns whether these are all of them: the objects may have changed
    /// meanwhile. The groups are those whose notifications report changes, for objects for which the kernel does not do so itself.
    pub async fn dump_each(
        &self,
        mut request: Request,
        on_object: &mut (impl FnMut(&[u8]) -> Result<(), Malformed> + Send),
        groups: &[Group],
    ) -> Result<bool, NetlinkError> {
        let mut on_message = |_, message: &[u8]| on_object(message);
        let outcome = self.dump_messages(&mut request, &mut on_message, groups).await?;
        Ok(outcome.is_some_and(|(end, has_changed)| !end.is_interrupted && (!has_changed || end.datagrams <= 1)))
    }

    /// Lists objects once. `on_message` gets the number of a datagram and an object in it. Returns how the answer ended, and whether
    /// notifications of the groups reported changes; `None` if a datagram was longer than the buffer, which is larger for the next
    /// request.
    pub async fn dump_messages(
        &self,
        request: &mut Request,
        on_message: &mut OnMessage<'_>,
        groups: &[Group],
    ) -> Result<Option<(End, bool)>, NetlinkError> {
        let mut has_changed = false;
        let mut turn = self.turn.lock().await;
        let membership = Membership::join(self.socket(), groups)?;
        let watch = (!groups.is_empty()).then_some(&mut has_changed);
        let answer = self.ask(&mut turn, request, on_message, watch).await;
        drop(membership);
        if !groups.is_empty() {
            // Remaining notifications must be discarded: another process has chosen their sequence number, which may be that
            // of a later request.
            turn.has_rest |= self.pass_over_the_rest(&mut [0]).is_err();
        }
        drop(turn);
        Ok(match answer? {
            Answer::Whole(end) => Some((end, has_changed)),
            Answer::Longer => None,
        })
    }

    async fn ask(
        &self,
        turn: &mut Turn,
        request: &mut Request,
        on_message: &mut OnMessage<'_>,
        mut has_changed: Option<&mut bool>,
    ) -> Result<Answer, NetlinkError> {
        if turn.has_rest {
            self.pass_over_the_rest(&mut [0])?;
            turn.has_rest = false;
        }
        turn.sequence = turn.sequence.wrapping_add(1);
        let mut buffer = Buffer::take(turn.room);
        let buffer = buffer.bytes();
        let deadline = Instant::now() + PATIENCE;
        self.send(request.numbered(turn.sequence), deadline).await?;
        // True until the end is received: an error may end this before, or the caller may drop it.
        turn.has_rest = true;
        let mut tries = PATIENT_TRIES;
        let mut datagrams = 0_u32;
        let mut reader = AnswerReader::of(turn.sequence, on_message);
        loop {
            let received = match self.receive(buffer, deadline).await {
                Ok(received) => received,
                // Notifications were lost. Answers are never lost.
                Err(error) if error.errno == Errno::ENOBUFS && has_changed.is_some() => {
                    has_changed.as_deref_mut().into_iter().for_each(|changed| *changed = true);
                    continue;
                }
                Err(error) if matches!(error.errno, Errno::ENOMEM | Errno::ENOBUFS) && tries > 0 => {
                    tries -= 1;
                    self.socket.pause(PAUSE).await;
                    continue;
                }
                Err(error) => return Err(error),
            };
            // A datagram to a group is a notification. The echo of a new object also goes to a group, but a dump requests no
            // echo.
            if !received.is_kernels || (received.is_for_group && has_changed.is_some()) {
                has_changed.as_deref_mut().into_iter().for_each(|changed| *changed = true);
                continue;
            }
            let Some(datagram) = buffer.get(..received.length) else {
                turn.room = received.length.next_multiple_of(DATAGRAM);
                turn.has_rest = self.pass_over_the_rest(buffer).is_err();
                return Ok(Answer::Longer);
            };
            datagrams += 1;
            if datagrams.is_multiple_of(TURN) {
                self.socket.give_way().await;
            }
            if reader.datagram(datagram) {
                // The malformed message may have been the end, or not.
                turn.has_rest = matches!(&reader.outcome, Err(error) if error.errno == Errno::EBADMSG);
                return reader.outcome.map(Answer::Whole);
            }
        }
    }

    /// Receives and discards the rest of an answer. The kernel starts no other answer before that. It writes the next datagram of
    /// a dump when the previous one is received, so the answer has ended when there is no datagram.
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

    async fn send(&self, bytes: &[u8], deadline: Instant) -> Result<(), NetlinkError> {
        loop {
            match socket::send(self.socket(), bytes) {
                Ok(()) => return Ok(()),
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => self.socket.writable(deadline).await?,
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    /// Receives the next datagram.
    async fn receive(&self, buffer: &mut [u8], deadline: Instant) -> Result<Received, NetlinkError> {
        loop {
            match socket::receive(self.socket(), buffer) {
                Ok(received) => return Ok(received),
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => self.socket.readable(deadline).await?,
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}

/// Takes a socket, with its options set.
fn prepared(socket: OwnedFd) -> Result<Socket, Error> {
    let socket = socket::own(socket);
    socket::prepare(&socket).map_err(|error| NetlinkError::from(error).of("setsockopt", ""))?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
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
        // The kernel has started to answer, and the answer is not received.
        conversation.send(dump().numbered(77), Instant::now()).await.unwrap();
        conversation.turn.lock().await.has_rest = true;
        let links = conversation.dump(dump(), |message| Link::read(message).map(Some)).await.unwrap();
        assert!(links.iter().any(|link| link.kind == LinkKind::Loopback));
        assert!(!conversation.turn.lock().await.has_rest);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_has_a_limit_and_a_late_answer_is_not_taken_for_the_next_one() {
        let conversation = Conversation::open(rtnetlink()).unwrap();
        let error = conversation.get(Request::endless(get_lo()), Link::read).await.unwrap_err();
        assert_eq!(error.errno, Errno::ETIMEDOUT);
        // The answer to this request is not received.
        conversation.send(Request::act(get_lo()).numbered(77), Instant::now()).await.unwrap();
        let link = conversation.get(Request::act(get_lo()), Link::read).await.unwrap();
        assert_eq!(link.kind, LinkKind::Loopback);
    }

    #[test]
    fn a_blocking_one_needs_no_runtime_and_is_ready_at_once() {
        let conversation = Conversation::open_blocking(rtnetlink()).unwrap();
        let link = conversation.get(Request::act(get_lo()), Link::read).now_or_never().unwrap().unwrap();
        assert_eq!(link.kind, LinkKind::Loopback);
        let dump = Request::dump(RouteNetlinkMessage::GetLink(LinkMessage::default()));
        let links = conversation.dump(dump, |message| Link::read(message).map(Some)).now_or_never().unwrap().unwrap();
        assert!(links.contains(&link));
    }
}
