//! Packets that arrive from inside.

use std::net::{IpAddr, SocketAddr};

use smoltcp::wire::{IpProtocol, Ipv4Packet, Ipv6Packet, TcpPacket, UdpPacket};

use crate::packets::echo::Echo;

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
    /// Another protocol, or a fragment.
    Other {
        protocol: u8,
        to: IpAddr,
    },
}

/// Reads an IPv4 packet. `None` if it is malformed.
pub fn v4(bytes: &[u8]) -> Option<Arriving<'_>> {
    let packet = Ipv4Packet::new_checked(bytes).ok()?;
    if packet.version() != 4 || !packet.verify_checksum() {
        return None;
    }
    let (from, to) = (packet.src_addr().into(), packet.dst_addr().into());
    let protocol = packet.next_header();
    if packet.more_frags() || packet.frag_offset() != 0 {
        return Some(Arriving::Other { protocol: protocol.into(), to });
    }
    let whole = bytes.get(..usize::from(packet.total_len()))?;
    transport(protocol, from, to, packet.payload(), whole)
}

/// Reads an IPv6 packet. `None` if it is malformed.
pub fn v6(bytes: &[u8]) -> Option<Arriving<'_>> {
    let packet = Ipv6Packet::new_checked(bytes).ok()?;
    if packet.version() != 6 {
        return None;
    }
    let (from, to) = (packet.src_addr().into(), packet.dst_addr().into());
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
