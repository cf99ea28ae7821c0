//! Asks the kernel one thing at a time, and hears the whole answer.
//!
//! The kernel answers within send(2), so that an answer is there before it is waited for; should there be none, the wait
//! has an end. An answer that makes no sense is an error of the request, and what is not from the kernel is no answer:
//! who has CAP_NET_ADMIN in the namespace may write to our socket.

use std::{
    future::Future,
    io::IoSliceMut,
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
    time::Duration,
};

use nix::{
    errno::Errno,
    sys::socket::{MsgFlags, NetlinkAddr, recvmsg, send},
};
use tokio::{
    io::unix::AsyncFd,
    sync::Mutex,
    time::{Instant, timeout_at},
};

use crate::{
    attributes::{Malformed, u16_at, u32_at},
    error::Refusal,
    extended_ack,
    request::Request,
    socket,
};

/// How long the kernel may be silent.
const PATIENCE: Duration = Duration::from_secs(10);

/// The kernel puts at most this much of a dump into one datagram (netlink_dump() of net/netlink/af_netlink.c).
const DATAGRAM: usize = 32 * 1024;

/// How often a dump is asked for again when what it lists changed meanwhile.
const ATTEMPTS: u32 = 32;

const HEADER: usize = 16;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
/// Types below are the protocol's own.
const NLMSG_MIN_TYPE: u16 = 16;
const NLM_F_DUMP_INTR: u16 = 0x10;
const NLM_F_CAPPED: u16 = 0x100;
const NLM_F_ACK_TLVS: u16 = 0x200;

/// A socket and what goes on over it.
#[derive(Debug)]
pub(crate) struct Conversation {
    socket: AsyncFd<OwnedFd>,
    turn: Mutex<Turn>,
}

/// Who has it may speak.
#[derive(Debug)]
struct Turn {
    sequence: u32,
    buffer: Vec<u8>,
}

/// How an answer ended.
#[derive(Debug, Default)]
struct End {
    /// What was listed changed meanwhile: something may be missing, or there twice.
    is_interrupted: bool,
}

impl Conversation {
    /// The socket is one of rtnetlink that does not block.
    pub fn new(socket: OwnedFd) -> Result<Self, Errno> {
        Ok(Self { socket: socket::watch(socket)?, turn: Mutex::new(Turn { sequence: 0, buffer: Vec::new() }) })
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
        let mut answer = None;
        let mut hear = |message: &[u8]| {
            answer = Some(read(message)?);
            Ok(())
        };
        self.ask(&mut { request }, &mut hear).await?;
        answer.ok_or_else(|| Malformed.into())
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

    async fn ask(
        &self,
        request: &mut Request,
        hear: &mut (dyn FnMut(&[u8]) -> Result<(), Malformed> + Send),
    ) -> Result<End, Refusal> {
        let mut turn = self.turn.lock().await;
        turn.sequence = turn.sequence.wrapping_add(1);
        turn.buffer.resize(DATAGRAM, 0);
        let Turn { sequence, buffer } = &mut *turn;
        let deadline = Instant::now() + PATIENCE;
        self.send(request.numbered(*sequence), deadline).await?;
        let mut hearing = Hearing { sequence: *sequence, outcome: Ok(End::default()), hear };
        loop {
            let length = self.receive(buffer, deadline).await?;
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

    /// Receives the next datagram from the kernel.
    async fn receive(&self, buffer: &mut [u8], deadline: Instant) -> Result<usize, Refusal> {
        loop {
            match receive_now(self.socket.as_fd(), buffer) {
                Ok(Some(length)) => return Ok(length),
                Ok(None) | Err(Errno::EINTR) => {}
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

/// One datagram, unless somebody else than the kernel sent it.
fn receive_now(socket: BorrowedFd<'_>, buffer: &mut [u8]) -> Result<Option<usize>, Errno> {
    let mut parts = [IoSliceMut::new(buffer)];
    let received = recvmsg::<NetlinkAddr>(socket.as_raw_fd(), &mut parts, None, MsgFlags::MSG_DONTWAIT)?;
    if received.address.is_none_or(|sender| sender.pid() != 0) {
        return Ok(None);
    }
    if received.flags.contains(MsgFlags::MSG_TRUNC) {
        return Err(Errno::EMSGSIZE);
    }
    Ok(Some(received.bytes))
}

/// An answer that is being heard, to its end: what is left of one would be in the way of the next.
struct Hearing<'a> {
    sequence: u32,
    outcome: Result<End, Refusal>,
    hear: &'a mut (dyn FnMut(&[u8]) -> Result<(), Malformed> + Send),
}

impl Hearing<'_> {
    /// Hears a datagram of messages; whether the answer has ended.
    fn datagram(&mut self, mut bytes: &[u8]) -> bool {
        while !bytes.is_empty() {
            let Ok((message, rest)) = Message::split(bytes) else {
                // Where the next message begins, or whether the end was among these, nobody knows.
                self.fail(Malformed.into());
                return true;
            };
            bytes = rest;
            if message.sequence == self.sequence && self.message(&message) {
                return true;
            }
        }
        false
    }

    /// Hears a message; whether it is the last one.
    fn message(&mut self, message: &Message<'_>) -> bool {
        if message.flags & NLM_F_DUMP_INTR != 0
            && let Ok(end) = &mut self.outcome
        {
            end.is_interrupted = true;
        }
        match message.kind {
            NLMSG_ERROR | NLMSG_DONE => {
                if let Err(refusal) = message.verdict() {
                    self.fail(refusal);
                }
                true
            }
            kind if kind < NLMSG_MIN_TYPE => false,
            _ => {
                if let Err(malformed) = (self.hear)(message.body) {
                    self.fail(malformed.into());
                }
                false
            }
        }
    }

    /// The first failure counts.
    fn fail(&mut self, refusal: Refusal) {
        if self.outcome.is_ok() {
            self.outcome = Err(refusal);
        }
    }
}

/// A message of a datagram, `struct nlmsghdr` and what is behind it.
struct Message<'a> {
    kind: u16,
    flags: u16,
    sequence: u32,
    body: &'a [u8],
}

impl<'a> Message<'a> {
    /// The first message of these bytes, and the rest of them.
    fn split(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), Malformed> {
        let length = u32_at(bytes, 0)? as usize;
        let body = bytes.get(HEADER..length).ok_or(Malformed)?;
        let rest = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        let message = Self { kind: u16_at(bytes, 4)?, flags: u16_at(bytes, 6)?, sequence: u32_at(bytes, 8)?, body };
        Ok((message, rest))
    }

    /// What the last message of an answer says: a number, and the kernel's words behind it.
    fn verdict(&self) -> Result<(), Refusal> {
        let errno = match u32_at(self.body, 0) {
            Ok(0) => return Ok(()),
            Ok(negative) => Errno::from_raw((negative as i32).wrapping_neg()),
            // A dump may end with an empty message.
            Err(Malformed) if self.kind == NLMSG_DONE => return Ok(()),
            Err(malformed) => return Err(malformed.into()),
        };
        Err(Refusal { errno, words: self.words() })
    }

    fn words(&self) -> Option<String> {
        if self.flags & NLM_F_ACK_TLVS == 0 {
            return None;
        }
        let offset = match self.kind {
            NLMSG_DONE => 4,
            _ if self.flags & NLM_F_CAPPED != 0 => 4 + HEADER,
            // The whole request is sent back, before the attributes.
            _ => 4 + (u32_at(self.body, 4).ok()? as usize).next_multiple_of(4),
        };
        extended_ack::words(self.body.get(offset..)?)
    }
}
