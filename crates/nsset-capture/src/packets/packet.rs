//! A packet in the ring: `struct tpacket3_hdr` and `struct sockaddr_ll`, and then its bytes.

use super::numbers::{u16_at, u32_at};

// The offsets in `struct tpacket3_hdr`.
const NEXT: usize = 0;
const SECONDS: usize = 4;
const NANOSECONDS: usize = 8;
const TAKEN: usize = 12;
const LENGTH: usize = 16;
const STATUS: usize = 20;
const START: usize = 24;
const TAG: usize = 32;
const TAG_PROTOCOL: usize = 36;
/// Where the `struct sockaddr_ll` is.
const ADDRESS: usize = 48;

const TP_STATUS_VLAN_VALID: u32 = 1 << 4;
const TP_STATUS_VLAN_TPID_VALID: u32 = 1 << 6;
const ETH_P_8021Q: u16 = 0x8100;

/// A packet.
pub struct Packet<'block> {
    pub nanoseconds: u64,
    /// The bytes that the filter took.
    pub bytes: &'block [u8],
    /// How long the packet was.
    pub length: u32,
    /// The VLAN tag that the kernel has taken out of it.
    pub tag: Option<Tag>,
    /// `PACKET_OUTGOING` and others: packet(7).
    pub kind: u8,
    /// The protocol of the network layer.
    pub protocol: u16,
    /// The index of the link.
    pub link: u32,
    pub hardware: u16,
    pub address_length: u8,
    pub address: [u8; 8],
}

/// A VLAN tag: the type before it, and what it contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag {
    pub ether_type: u16,
    pub control: u16,
}

/// Returns how far the next packet is away.
pub fn distance_to_next(header: &[u8]) -> Option<u32> {
    u32_at(header, NEXT)
}

impl<'block> Packet<'block> {
    /// Reads a packet. `None` if the memory is not one.
    pub fn read(header: &'block [u8]) -> Option<Self> {
        let number = |offset| u32_at(header, offset);
        let start = usize::from(u16_at(header, START)?);
        let address = header.get(ADDRESS..)?;
        Some(Self {
            nanoseconds: u64::from(number(SECONDS)?) * 1_000_000_000 + u64::from(number(NANOSECONDS)?),
            bytes: header.get(start..)?.get(..number(TAKEN)? as usize)?,
            length: number(LENGTH)?,
            tag: read_tag(header),
            protocol: u16_at(address, 2).map(u16::from_be)?,
            link: u32_at(address, 4)?,
            hardware: u16_at(address, 8)?,
            kind: *address.get(10)?,
            address_length: *address.get(11)?,
            address: *address.get(12..)?.first_chunk()?,
        })
    }
}

fn read_tag(header: &[u8]) -> Option<Tag> {
    let status = u32_at(header, STATUS)?;
    if status & TP_STATUS_VLAN_VALID == 0 {
        return None;
    }
    let has_type = status & TP_STATUS_VLAN_TPID_VALID != 0;
    let ether_type = if has_type { u16_at(header, TAG_PROTOCOL)? } else { ETH_P_8021Q };
    Some(Tag { ether_type, control: u32_at(header, TAG)? as u16 })
}
