//! Messages that a packet has not arrived (RFC 792, RFC 4443).

use std::net::IpAddr;

use smoltcp::wire::IpProtocol;

use crate::packets::internet::{checksum, packet, pseudo_header};

/// Why a packet has not arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IcmpError {
    Network,
    Host,
    Port,
    /// A rule refuses it.
    Prohibited,
    /// It must not be cut, and the way takes packets of at most this length.
    TooBig(u16),
    /// It may not go any further.
    TimeExceeded,
}

impl IcmpError {
    fn kind_and_code(self, is_v4: bool) -> (u8, u8) {
        match (self, is_v4) {
            (Self::Network, true) | (Self::TimeExceeded, false) => (3, 0),
            (Self::Host, true) => (3, 1),
            (Self::Port, true) => (3, 3),
            (Self::Prohibited, true) => (3, 13),
            (Self::TooBig(_), true) => (3, 4),
            (Self::TimeExceeded, true) => (11, 0),
            (Self::Network, false) => (1, 0),
            (Self::Host, false) => (1, 3),
            (Self::Port, false) => (1, 4),
            (Self::Prohibited, false) => (1, 1),
            (Self::TooBig(_), false) => (2, 0),
        }
    }

    /// The message about a packet that `to` has sent, with as much of the packet as both standards allow.
    pub fn packet(self, from: IpAddr, to: IpAddr, about: &[u8]) -> Option<Vec<u8>> {
        let is_v4 = from.is_ipv4();
        let (kind, code) = self.kind_and_code(is_v4);
        // The mtu is in the last two bytes with both.
        let [a, b] = if let Self::TooBig(mtu) = self { mtu.to_be_bytes() } else { [0, 0] };
        let mut message = vec![kind, code, 0, 0, 0, 0, a, b];
        let most = if is_v4 { 548 } else { 1232 };
        message.extend_from_slice(about.get(..most).unwrap_or(about));
        let protocol = if is_v4 { IpProtocol::Icmp } else { IpProtocol::Icmpv6 };
        let start = if is_v4 { 0 } else { pseudo_header(from, to, protocol, message.len()) };
        let sum = checksum(&message, start).to_be_bytes();
        message.get_mut(2..4)?.copy_from_slice(&sum);
        packet(from, to, protocol, &message)
    }
}
