//! Sends a batch and receives what the kernel says about its messages.

use netlink_packet_core::NLMSG_ERROR;
use nix::{
    errno::Errno,
    sys::socket::{setsockopt, sockopt},
};
use std::os::fd::AsFd;
use tokio::time::Instant;

use super::{Conversation, PATIENCE};
use crate::netlink::{
    answer::Message,
    answer::extended_ack,
    batch::{Batch, HEADERS, Refusal},
    buffer::Buffer,
};

/// What netlink_sendmsg() of net/netlink/af_netlink.c takes from the size of the socket's buffer.
const RESERVED: usize = 32;

/// What the kernel has said about a batch.
#[derive(Default)]
struct Answers {
    first_refusal: Option<Refusal>,
    has_ended: bool,
}

impl Conversation {
    /// Sends a batch that has ended. The kernel answers during sendmsg(2), about each message that it refuses, and about the last
    /// one.
    pub async fn commit(&self, batch: &mut Batch) -> Result<(), Refusal> {
        let mut turn = self.turn.lock().await;
        if turn.has_rest {
            self.pass_over_the_rest(&mut [0])?;
            turn.has_rest = false;
        }
        let first = turn.sequence.wrapping_add(1);
        turn.sequence = turn.sequence.wrapping_add(batch.count());
        let deadline = Instant::now() + PATIENCE;
        self.make_room(batch.size());
        let last = batch.last();
        self.send(batch.numbered(first), deadline).await?;
        turn.has_rest = true;
        let mut buffer = Buffer::take(turn.room);
        let buffer = buffer.bytes();
        let mut answers = Answers::default();
        let mut has_lost = false;
        while !answers.has_ended {
            match self.receive_of_commit(buffer, deadline, has_lost).await {
                Ok(None) => break,
                Ok(Some(length)) => answers.read(buffer.get(..length).unwrap_or_default(), first, last),
                // There are more refusals than the socket has room for: those that it has are enough.
                Err(refusal) if refusal.error.errno == Errno::ENOBUFS && !has_lost => has_lost = true,
                Err(refusal) => return Err(refusal),
            }
        }
        turn.has_rest = self.pass_over_the_rest(&mut [0]).is_err();
        match answers.first_refusal {
            Some(refusal) => Err(refusal),
            None if answers.has_ended => Ok(()),
            None => Err(Errno::ENOBUFS.into()),
        }
    }

    /// Receives a datagram. `None` if answers were lost, and there are no others.
    async fn receive_of_commit(
        &self,
        buffer: &mut [u8],
        deadline: Instant,
        has_lost: bool,
    ) -> Result<Option<usize>, Refusal> {
        let deadline = if has_lost { Instant::now() } else { deadline };
        match self.receive(buffer, deadline).await {
            Ok(received) if received.is_kernels => Ok(Some(received.length)),
            Ok(_) => Ok(Some(0)),
            Err(error) if has_lost && error.errno == Errno::ETIMEDOUT => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Makes the socket's buffer large enough for a batch, as far as the caller may: without CAP_NET_ADMIN in the first user
    /// namespace, up to twice net.core.wmem_max (socket(7)).
    fn make_room(&self, size: usize) {
        let socket = self.socket();
        let wanted = (size + RESERVED).div_ceil(2);
        if setsockopt(&socket.as_fd(), sockopt::SndBufForce, &wanted).is_err() {
            // If this fails too, so does the send, with the reason.
            let _ = setsockopt(&socket.as_fd(), sockopt::SndBuf, &wanted);
        }
    }
}

impl Answers {
    fn read(&mut self, mut datagram: &[u8], first: u32, last: usize) {
        while let Ok((message, rest)) = Message::split(datagram) {
            datagram = rest;
            let number = message.sequence.wrapping_sub(first) as usize;
            if message.kind != NLMSG_ERROR || number > last {
                continue;
            }
            let refusal = message.verdict().err().map(|error| {
                let offset = extended_ack::offset(message.extended()).and_then(|offset| offset.checked_sub(HEADERS));
                Refusal { number, offset, error }
            });
            // The batch as a whole is refused before or after its messages: then there may be no other answer.
            self.has_ended |= number == last || (number == 0 && refusal.is_some());
            if let Some(refusal) = refusal
                && self.first_refusal.as_ref().is_none_or(|earlier| refusal.number < earlier.number)
            {
                self.first_refusal = Some(refusal);
            }
        }
    }
}
