//! Reads an answer of the kernel: its messages, and how it ends.
//!
//! Malformed bytes cause an error, and never a wait or a panic. This does not use `NetlinkMessage` of netlink-packet-core, which
//! copies each message into owned values.

pub(super) mod extended_ack;

use netlink_packet_core::{NLM_F_ACK_TLVS, NLM_F_CAPPED, NLM_F_DUMP_INTR, NLMSG_DONE, NLMSG_ERROR};
use nix::errno::Errno;

use crate::{
    error::NetlinkError,
    netlink::attributes::{Malformed, u16_at, u32_at},
};

const HEADER: usize = 16;
/// Smaller types are those of netlink itself.
const NLMSG_MIN_TYPE: u16 = 16;

/// A function that gets the number of a datagram and the body of a message in it.
pub(crate) type OnMessage<'a> = dyn FnMut(usize, &[u8]) -> Result<(), Malformed> + Send + 'a;

/// How an answer ended.
#[derive(Debug, Default)]
pub(crate) struct End {
    /// The kernel reported that the listed objects changed during the dump: some may be missing, or listed twice.
    pub is_interrupted: bool,
    /// The number of the last datagram with an object.
    pub datagrams: usize,
}

/// Reads an answer to its end: the rest of an answer would be mistaken for the next one.
pub(crate) struct AnswerReader<'a> {
    sequence: u32,
    pub outcome: Result<End, NetlinkError>,
    datagrams: usize,
    on_message: &'a mut OnMessage<'a>,
}

impl<'a> AnswerReader<'a> {
    /// Reads the answer to the request with this sequence number.
    pub fn of(sequence: u32, on_message: &'a mut OnMessage<'a>) -> Self {
        Self { sequence, outcome: Ok(End::default()), datagrams: 0, on_message }
    }

    /// Reads a datagram. Returns whether the answer has ended.
    pub fn datagram(&mut self, mut bytes: &[u8]) -> bool {
        self.datagrams += 1;
        while !bytes.is_empty() {
            let Ok((message, rest)) = Message::split(bytes) else {
                // The start of the next message is unknown, and the end of the answer may be among the unread bytes.
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

    /// Reads a message. Returns whether it is the last one.
    fn message(&mut self, message: &Message<'_>) -> bool {
        let number = self.datagrams;
        if let Ok(end) = &mut self.outcome {
            // A change just before the end does not matter if all objects were in one datagram.
            let is_end = message.kind < NLMSG_MIN_TYPE;
            end.is_interrupted |= message.flags & NLM_F_DUMP_INTR != 0 && (!is_end || end.datagrams > 1);
            if !is_end {
                end.datagrams = number;
            }
        }
        match message.kind {
            NLMSG_ERROR | NLMSG_DONE => {
                if let Err(error) = message.verdict() {
                    self.fail(error);
                }
                true
            }
            kind if kind < NLMSG_MIN_TYPE => false,
            _ => {
                if let Err(malformed) = (self.on_message)(number, message.body) {
                    self.fail(malformed.into());
                }
                false
            }
        }
    }

    /// Sets the error. If there are several, the first one is kept.
    fn fail(&mut self, error: NetlinkError) {
        if self.outcome.is_ok() {
            self.outcome = Err(error);
        }
    }
}

/// A message of a datagram: `struct nlmsghdr` and the body after it.
pub(crate) struct Message<'a> {
    pub kind: u16,
    pub flags: u16,
    pub sequence: u32,
    pub body: &'a [u8],
}

impl<'a> Message<'a> {
    /// Returns the first message, and the remaining bytes.
    pub fn split(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), Malformed> {
        let length = u32_at(bytes, 0)? as usize;
        let body = bytes.get(HEADER..length).ok_or(Malformed)?;
        let rest = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        let message = Self { kind: u16_at(bytes, 4)?, flags: u16_at(bytes, 6)?, sequence: u32_at(bytes, 8)?, body };
        Ok((message, rest))
    }

    /// Returns the outcome from the last message of an answer: an error number, and the kernel's message.
    pub fn verdict(&self) -> Result<(), NetlinkError> {
        let errno = match u32_at(self.body, 0) {
            Ok(0) => return Ok(()),
            Ok(negative) => Errno::from_raw((negative as i32).wrapping_neg()),
            // A dump may end with an empty message.
            Err(Malformed) if self.kind == NLMSG_DONE => return Ok(()),
            Err(malformed) => return Err(malformed.into()),
        };
        Err(NetlinkError { errno, words: extended_ack::words(self.extended()) })
    }

    /// Returns the attributes after an answer that say more about it.
    pub fn extended(&self) -> &'a [u8] {
        if self.flags & NLM_F_ACK_TLVS == 0 {
            return &[];
        }
        let offset = match self.kind {
            NLMSG_DONE => 4,
            _ if self.flags & NLM_F_CAPPED != 0 => 4 + HEADER,
            // The kernel returns the whole request before the attributes.
            _ => 4 + (u32_at(self.body, 4).unwrap_or(u32::MAX) as usize).next_multiple_of(4),
        };
        self.body.get(offset..).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        address::Address,
        link::Link,
        neighbour::{ForwardingEntry, Neighbour},
        netlink::generic::family,
        next_hop::NextHopObject,
        qdisc::Qdisc,
        route::Route,
        rule::Rule,
        wireguard::WireGuard,
    };

    /// Answers of Linux 6.18 about a network with a bridge, a veth, a vxlan, a macvlan and an ifb, with addresses and routes of
    /// both families and htb and tbf, and to a request for a link of an unknown kind, and answers of Linux 6.1 about a WireGuard
    /// link and its family. Each answer is joined to one datagram.
    fn datagrams() -> [&'static [u8]; 7] {
        [
            include_bytes!("../../tests/recorded/links.bin"),
            include_bytes!("../../tests/recorded/addresses.bin"),
            include_bytes!("../../tests/recorded/routes.bin"),
            include_bytes!("../../tests/recorded/qdiscs.bin"),
            include_bytes!("../../tests/recorded/wireguard.bin"),
            include_bytes!("../../tests/recorded/family.bin"),
            ERROR,
        ]
    }

    const ERROR: &[u8] = include_bytes!("../../tests/recorded/error.bin");

    type Reader = fn(&[u8]) -> Result<(), Malformed>;

    /// Reads a datagram with every reader, whether it fits or not.
    fn read_with_all(bytes: &[u8]) -> Vec<Result<End, NetlinkError>> {
        let readers: [Reader; 10] = [
            |message| Link::read(message).map(drop),
            |message| Address::read(message).map(drop),
            |message| Route::read(message).map(drop),
            |message| Qdisc::read(message).map(drop),
            |message| Rule::read(message).map(drop),
            |message| NextHopObject::read(message).map(drop),
            |message| Neighbour::read(message).map(drop),
            |message| ForwardingEntry::read(message).map(drop),
            |message| WireGuard::read(message).map(drop),
            |message| family::read(message).map(drop),
        ];
        let outcome = |read: Reader| {
            let mut on_message = |_, message: &[u8]| read(message);
            let mut reader = AnswerReader::of(0, &mut on_message);
            reader.datagram(bytes);
            reader.outcome
        };
        readers.map(outcome).into()
    }

    /// Pseudo-random numbers that are the same in every run (xorshift).
    fn random(state: &mut u64) -> usize {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        *state as usize
    }

    #[test]
    fn malformed_answers_are_read_without_harm() {
        let mut state = 0x9E37_79B9_7F4A_7C15;
        let mut refused = 0;
        for datagram in datagrams() {
            assert!(datagram == ERROR || read_with_all(datagram).iter().any(Result::is_ok));
            for _ in 0..2000 {
                let mut bytes = datagram.to_vec();
                for _ in 0..=random(&mut state) % 4 {
                    let at = random(&mut state) % bytes.len();
                    match random(&mut state) % 4 {
                        0 => bytes.truncate(at.max(1)),
                        1 => bytes[at] = [0, 1, 0x7F, 0xFF][random(&mut state) % 4],
                        2 => bytes[at] ^= 1 << (random(&mut state) % 8),
                        // Mostly hits a length, which is at a multiple of four.
                        _ => bytes[at & !3] = random(&mut state) as u8,
                    }
                }
                refused += read_with_all(&bytes).iter().filter(|outcome| outcome.is_err()).count();
            }
        }
        assert!(refused > 1000, "the mutants were too tame: {refused}");
    }

    #[test]
    fn a_truncated_answer_is_an_error_or_unfinished() {
        for datagram in datagrams() {
            for length in 1..datagram.len() {
                let bytes = &datagram[..length];
                let mut nothing = |_, _: &[u8]| Ok(());
                let mut reader = AnswerReader::of(0, &mut nothing);
                let has_ended = reader.datagram(bytes);
                assert!(reader.outcome.is_err() || !has_ended);
            }
        }
    }

    #[test]
    fn a_dump_reports_that_objects_changed_during_it() {
        let is_interrupted = |bytes: &[u8]| {
            let mut nothing = |_, _: &[u8]| Ok(());
            let mut reader = AnswerReader::of(0, &mut nothing);
            assert!(reader.datagram(bytes));
            reader.outcome.unwrap().is_interrupted
        };
        let mut bytes = datagrams()[0].to_vec();
        assert!(!is_interrupted(&bytes));
        bytes[6] |= NLM_F_DUMP_INTR as u8;
        assert!(is_interrupted(&bytes));
    }

    #[test]
    fn the_kernels_message_is_read() {
        let mut nothing = |_, _: &[u8]| Ok(());
        let mut reader = AnswerReader::of(0, &mut nothing);
        assert!(reader.datagram(ERROR));
        let error = reader.outcome.unwrap_err();
        assert_eq!((error.errno, error.words.as_deref()), (Errno::EOPNOTSUPP, Some("Unknown device type")));
    }
}
