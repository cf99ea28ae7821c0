//! Packets that arrive from inside.

use std::net::{IpAddr, SocketAddr};

use smoltcp::wire::{IpProtocol, Ipv4Packet, Ipv6Packet, TcpPacket, UdpPacket};

use crate::packets::{echo::Echo, fragments::FRAGMENT};

/// A packet that means something to an uplink.
#[derive(Debug)]
pub enum Arriving<'a> {
    Tcp {
        from: SocketAddr,
        to: SocketAddr,
        is_first: bool,
        is_reset: bool,
        packet: &'a [u8],
    },
    Udp {
        from: SocketAddr,
        to: SocketAddr,
        payload: &'a [u8],
    },
    Echo {
        from: IpAddr,
        to: IpAddr,
        echo: Echo<'a>,
    },
    /// Another packet of IPv6's control protocol, which may ask for the gateway.
    Control {
        from: IpAddr,
        message: &'a [u8],
    },
    /// A part of a packet.
    Fragment {
        to: IpAddr,
    },
    /// Another protocol.
    Other {
        protocol: u8,
        to: IpAddr,
    },
}

impl Arriving<'_> {
    /// From where a packet of a flow comes, and to where it goes.
    pub fn ends(&self) -> Option<(IpAddr, IpAddr)> {
        match *self {
            Self::Tcp { from, to, .. } | Self::Udp { from, to, .. } => Some((from.ip(), to.ip())),
            Self::Echo { from, to, .. } => Some((from, to)),
            Self::Control { .. } | Self::Fragment { .. } | Self::Other { .. } => None,
        }
    }
}

/// How many more networks a packet may enter.
pub fn hops(packet: &[u8]) -> u8 {
    let place = if is_v4(packet) { 8 } else { 7 };
    packet.get(place).copied().unwrap_or_default()
}

/// Whether a packet may be cut where a link does not take it whole. One of IPv6 may not.
pub fn may_be_cut(packet: &[u8]) -> bool {
    is_v4(packet) && Ipv4Packet::new_checked(packet).is_ok_and(|packet| !packet.dont_frag())
}

fn is_v4(packet: &[u8]) -> bool {
    packet.first().is_some_and(|first| first >> 4 == 4)
}

/// Reads an IPv4 packet. `None` if it is malformed.
pub fn v4(bytes: &[u8]) -> Option<Arriving<'_>> {
    let packet = Ipv4Packet::new_checked(bytes).ok()?;
    if packet.version() != 4 || !packet.verify_checksum() {
        return None;
    }
    let (from, to) = (packet.src_addr().into(), packet.dst_addr().into());
    if packet.more_frags() || packet.frag_offset() != 0 {
        return Some(Arriving::Fragment { to });
    }
    let whole = bytes.get(..usize::from(packet.total_len()))?;
    transport(packet.next_header(), from, to, packet.payload(), whole)
}

/// Reads an IPv6 packet. `None` if it is malformed.
pub fn v6(bytes: &[u8]) -> Option<Arriving<'_>> {
    let packet = Ipv6Packet::new_checked(bytes).ok()?;
    if packet.version() != 6 {
        return None;
    }
    let (from, to) = (packet.src_addr().into(), packet.dst_addr().into());
    if u8::from(packet.next_header()) == FRAGMENT {
        return Some(Arriving::Fragment { to });
    }
    let whole = bytes.get(..packet.total_len())?;
    transport(packet.next_header(), from, to, packet.payload(), whole)
}

fn transport<'a>(
    protocol: IpProtocol,
    from: IpAddr,
    to: IpAddr,
    payload: &'a [u8],
    packet: &'a [u8],
) -> Option<Arriving<'a>> {
    match protocol {
        IpProtocol::Tcp => {
            let tcp = TcpPacket::new_checked(payload).ok()?;
            let (from, to) = (SocketAddr::new(from, tcp.src_port()), SocketAddr::new(to, tcp.dst_port()));
            let is_first = tcp.syn() && !tcp.ack() && !tcp.rst() && !tcp.fin();
            Some(Arriving::Tcp { from, to, is_first, is_reset: tcp.rst(), packet })
        }
        IpProtocol::Udp => {
            let udp = UdpPacket::new_checked(payload).ok()?;
            let (from, to) = (SocketAddr::new(from, udp.src_port()), SocketAddr::new(to, udp.dst_port()));
            Some(Arriving::Udp { from, to, payload: udp.payload() })
        }
        IpProtocol::Icmp | IpProtocol::Icmpv6 => Some(match Echo::read(payload, from.is_ipv4()) {
            Some(echo) => Arriving::Echo { from, to, echo },
            None if from.is_ipv6() => Arriving::Control { from, message: payload },
            None => Arriving::Other { protocol: protocol.into(), to },
        }),
        other => Some(Arriving::Other { protocol: other.into(), to }),
    }
}
