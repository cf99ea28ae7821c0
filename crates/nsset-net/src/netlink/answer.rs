//! Hears an answer of the kernel's: what it tells, and how it ends.
//!
//! Bytes that make no sense are an error, never a wait or a panic. `NetlinkMessage` of netlink-packet-core copies each message into
//! owned values; here they stay where they lie.

use netlink_packet_core::{NLM_F_ACK_TLVS, NLM_F_CAPPED, NLM_F_DUMP_INTR, NLMSG_DONE, NLMSG_ERROR};
use nix::errno::Errno;

use crate::{
    error::Refusal,
    netlink::attributes::{Malformed, u16_at, u32_at},
    netlink::extended_ack,
};

const HEADER: usize = 16;
/// Types below are the protocol's own.
const NLMSG_MIN_TYPE: u16 = 16;

/// Takes what a message of the datagram of this number tells.
pub(crate) type Hear<'a> = dyn FnMut(usize, &[u8]) -> Result<(), Malformed> + Send + 'a;

/// How an answer ended.
#[derive(Debug, Default)]
pub(crate) struct End {
    /// What was listed changed meanwhile: something may be missing, or there twice.
    pub is_interrupted: bool,
    /// The number of the latest datagram that said something.
    pub datagrams: usize,
}

/// An answer that is being heard, to its end: what is left of one would be in the way of the next.
pub(crate) struct Hearing<'a> {
    sequence: u32,
    pub outcome: Result<End, Refusal>,
    datagrams: usize,
    hear: &'a mut Hear<'a>,
}

impl<'a> Hearing<'a> {
    /// The answer to the request of this number.
    pub fn of(sequence: u32, hear: &'a mut Hear<'a>) -> Self {
        Self { sequence, outcome: Ok(End::default()), datagrams: 0, hear }
    }

    /// Hears a datagram of messages; whether the answer has ended.
    pub fn datagram(&mut self, mut bytes: &[u8]) -> bool {
        self.datagrams += 1;
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
        let number = self.datagrams;
        if let Ok(end) = &mut self.outcome {
            // That something changed before the end was written does not matter to what came in one piece.
            let is_end = message.kind < NLMSG_MIN_TYPE;
            end.is_interrupted |= message.flags & NLM_F_DUMP_INTR != 0 && (!is_end || end.datagrams > 1);
            if !is_end {
                end.datagrams = number;
            }
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
                if let Err(malformed) = (self.hear)(number, message.body) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        address::Address,
        link::Link,
        qdisc::Qdisc,
        route::Route,
        wireguard::{WireGuard, read_family},
    };

    /// What Linux 6.18 said about a network with a bridge, a veth, a vxlan, a macvlan and an ifb, with addresses and routes of
    /// both families and htb and tbf, and to a request for a link of no known kind; and Linux 6.1 about a
    /// WireGuard link and its family: each answer as if in one datagram.
    fn datagrams() -> [&'static [u8]; 7] {
        [
            include_bytes!("../../tests/recorded/links.bin"),
            include_bytes!("../../tests/recorded/addresses.bin"),
            include_bytes!("../../tests/recorded/routes.bin"),
            include_bytes!("../../tests/recorded/qdiscs.bin"),
            include_bytes!("../../tests/recorded/wireguard.bin"),
            include_bytes!("../../tests/recorded/family.bin"),
            REFUSAL,
        ]
    }

    const REFUSAL: &[u8] = include_bytes!("../../tests/recorded/refusal.bin");

    type Reader = fn(&[u8]) -> Result<(), Malformed>;

    /// Hears a datagram with every reader that there is, whatever it is.
    fn hear_with_all(bytes: &[u8]) -> Vec<Result<End, Refusal>> {
        let readers: [Reader; 6] = [
            |message| Link::read(message).map(drop),
            |message| Address::read(message).map(drop),
            |message| Route::read(message).map(drop),
            |message| Qdisc::read(message).map(drop),
            |message| WireGuard::read(message).map(drop),
            |message| read_family(message).map(drop),
        ];
        let hear = |read: Reader| {
            let mut hear = |_, message: &[u8]| read(message);
            let mut hearing = Hearing::of(0, &mut hear);
            hearing.datagram(bytes);
            hearing.outcome
        };
        readers.map(hear).into()
    }

    /// A row of numbers that is the same in every run (xorshift).
    fn random(state: &mut u64) -> usize {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        *state as usize
    }

    #[test]
    fn whatever_is_wrong_with_an_answer_it_is_heard_without_harm() {
        let mut state = 0x9E37_79B9_7F4A_7C15;
        let mut refused = 0;
        for datagram in datagrams() {
            assert!(datagram == REFUSAL || hear_with_all(datagram).iter().any(Result::is_ok));
            for _ in 0..2000 {
                let mut bytes = datagram.to_vec();
                for _ in 0..=random(&mut state) % 4 {
                    let at = random(&mut state) % bytes.len();
                    match random(&mut state) % 4 {
                        0 => bytes.truncate(at.max(1)),
                        1 => bytes[at] = [0, 1, 0x7F, 0xFF][random(&mut state) % 4],
                        2 => bytes[at] ^= 1 << (random(&mut state) % 8),
                        // Mostly a length: they stand at multiples of four.
                        _ => bytes[at & !3] = random(&mut state) as u8,
                    }
                }
                refused += hear_with_all(&bytes).iter().filter(|outcome| outcome.is_err()).count();
            }
        }
        assert!(refused > 1000, "the mutants were too tame: {refused}");
    }

    #[test]
    fn an_answer_that_is_cut_anywhere_is_an_error_or_unfinished() {
        for datagram in datagrams() {
            for length in 1..datagram.len() {
                let bytes = &datagram[..length];
                let mut nothing = |_, _: &[u8]| Ok(());
                let mut hearing = Hearing::of(0, &mut nothing);
                let has_ended = hearing.datagram(bytes);
                assert!(hearing.outcome.is_err() || !has_ended);
            }
        }
    }

    #[test]
    fn it_is_heard_that_what_is_listed_changed_meanwhile() {
        let heard = |bytes: &[u8]| {
            let mut nothing = |_, _: &[u8]| Ok(());
            let mut hearing = Hearing::of(0, &mut nothing);
            assert!(hearing.datagram(bytes));
            hearing.outcome.unwrap().is_interrupted
        };
        let mut bytes = datagrams()[0].to_vec();
        assert!(!heard(&bytes));
        bytes[6] |= NLM_F_DUMP_INTR as u8;
        assert!(heard(&bytes));
    }

    #[test]
    fn the_kernels_words_are_heard() {
        let mut nothing = |_, _: &[u8]| Ok(());
        let mut hearing = Hearing::of(0, &mut nothing);
        assert!(hearing.datagram(REFUSAL));
        let refusal = hearing.outcome.unwrap_err();
        assert_eq!((refusal.errno, refusal.words.as_deref()), (Errno::EOPNOTSUPP, Some("Unknown device type")));
    }
}
