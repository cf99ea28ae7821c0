//! Echo requests and their answers (RFC 792, RFC 4443).

use std::net::IpAddr;

use smoltcp::wire::IpProtocol;

use crate::packets::internet::{checksum, packet, pseudo_header};

const REQUEST_V4: u8 = 8;
const REQUEST_V6: u8 = 128;
const ANSWER_V4: u8 = 0;
const ANSWER_V6: u8 = 129;
const HEADER: usize = 8;

/// An echo request, or an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Echo<'a> {
    pub id: u16,
    pub sequence: u16,
    pub payload: &'a [u8],
}

impl<'a> Echo<'a> {
    /// Reads a request. `None` for any other message.
    pub fn read(message: &'a [u8], is_v4: bool) -> Option<Self> {
        Self::of_kind(message, if is_v4 { REQUEST_V4 } else { REQUEST_V6 })
    }

    /// Reads an answer.
    pub fn answer(message: &'a [u8], is_v4: bool) -> Option<Self> {
        Self::of_kind(message, if is_v4 { ANSWER_V4 } else { ANSWER_V6 })
    }

    fn of_kind(message: &'a [u8], kind: u8) -> Option<Self> {
        let (header, payload) = message.split_first_chunk::<HEADER>()?;
        let [found, code, _, _, a, b, c, d] = *header;
        let (id, sequence) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        (found == kind && code == 0).then_some(Self { id, sequence, payload })
    }

    /// The request for a ping socket (icmp(7)), which sets the id and the checksum.
    pub fn request(&self, is_v4: bool) -> Vec<u8> {
        self.message(if is_v4 { REQUEST_V4 } else { REQUEST_V6 })
    }

    /// The packet with the answer.
    pub fn answer_packet(&self, from: IpAddr, to: IpAddr) -> Option<Vec<u8>> {
        let is_v4 = from.is_ipv4();
        let (kind, protocol) = if is_v4 { (ANSWER_V4, IpProtocol::Icmp) } else { (ANSWER_V6, IpProtocol::Icmpv6) };
        let mut message = self.message(kind);
        let start = if is_v4 { 0 } else { pseudo_header(from, to, protocol, message.len()) };
        let sum = checksum(&message, start).to_be_bytes();
        message.get_mut(2..4)?.copy_from_slice(&sum);
        packet(from, to, protocol, &message)
    }

    fn message(&self, kind: u8) -> Vec<u8> {
        let ([a, b], [c, d]) = (self.id.to_be_bytes(), self.sequence.to_be_bytes());
        let mut message = vec![kind, 0, 0, 0, a, b, c, d];
        message.extend_from_slice(self.payload);
        message
    }
}
