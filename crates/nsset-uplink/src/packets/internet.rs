//! The headers of IPv4 and IPv6, and the sums of the internet.

use std::net::IpAddr;

use smoltcp::wire::{IpProtocol, Ipv4Packet, Ipv4Repr, Ipv6Packet, Ipv6Repr};

const HOPS: u8 = 64;

/// Writes a packet with a payload. `None` if the two addresses have different families.
pub fn packet(from: IpAddr, to: IpAddr, protocol: IpProtocol, payload: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = header(from, to, protocol, payload.len())?;
    bytes.extend_from_slice(payload);
    Some(bytes)
}

fn header(from: IpAddr, to: IpAddr, protocol: IpProtocol, payload: usize) -> Option<Vec<u8>> {
    match (from, to) {
        (IpAddr::V4(src_addr), IpAddr::V4(dst_addr)) => {
            let repr = Ipv4Repr { src_addr, dst_addr, next_header: protocol, payload_len: payload, hop_limit: HOPS };
            let mut bytes = vec![0; repr.buffer_len()];
            let mut written = Ipv4Packet::new_unchecked(&mut bytes);
            repr.emit(&mut written, &smoltcp::phy::ChecksumCapabilities::default());
            Some(bytes)
        }
        (IpAddr::V6(src_addr), IpAddr::V6(dst_addr)) => {
            let repr = Ipv6Repr { src_addr, dst_addr, next_header: protocol, payload_len: payload, hop_limit: HOPS };
            let mut bytes = vec![0; repr.buffer_len()];
            repr.emit(&mut Ipv6Packet::new_unchecked(&mut bytes));
            Some(bytes)
        }
        _ => None,
    }
}

/// Where a packet goes.
pub fn destination(packet: &[u8]) -> Option<IpAddr> {
    match packet.first()? >> 4 {
        4 => packet.get(16..)?.first_chunk::<4>().map(|address| IpAddr::from(*address)),
        _ => packet.get(24..)?.first_chunk::<16>().map(|address| IpAddr::from(*address)),
    }
}

/// The sum of the pseudo-header, which is in the checksum of TCP and UDP until the rest is added.
pub fn pseudo_header(from: IpAddr, to: IpAddr, protocol: IpProtocol, length: usize) -> u16 {
    let mut sum = u32::from(u8::from(protocol));
    sum += (length >> 16) as u32 + (length & 0xffff) as u32;
    let mut add = |bytes: &[u8]| sum += words(bytes);
    for address in [from, to] {
        match address {
            IpAddr::V4(address) => add(&address.octets()),
            IpAddr::V6(address) => add(&address.octets()),
        }
    }
    fold(sum)
}

/// The checksum of bytes, to which the sum of a pseudo-header may be added.
pub fn checksum(bytes: &[u8], start: u16) -> u16 {
    let mut sum = u32::from(start);
    for part in bytes.chunks(0x8000) {
        sum = u32::from(fold(sum + words(part)));
    }
    !fold(sum)
}

fn words(bytes: &[u8]) -> u32 {
    let (pairs, rest) = bytes.as_chunks();
    let last = rest.first().map_or(0, |byte| u32::from(*byte) << 8);
    pairs.iter().map(|pair| u32::from(u16::from_be_bytes(*pair))).sum::<u32>() + last
}

fn fold(mut sum: u32) -> u16 {
    while sum > 0xffff {
        sum = (sum >> 16) + (sum & 0xffff);
    }
    sum as u16
}
