//! A section with the packets of one interface.

use super::block::Block;
use crate::{
    link_type::LinkType,
    packets::{Packet, Tag},
};

// The types of blocks.
const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const ENHANCED_PACKET: u32 = 6;
const INTERFACE_STATISTICS: u32 = 5;

const BYTE_ORDER: u32 = 0x1a2b_3c4d;
const UNKNOWN_LENGTH: [u8; 8] = [0xff; 8];
/// Times are in units of 10 to the power of minus this.
const NANOSECONDS: u8 = 9;

/// Where the VLAN tag of a packet of Ethernet is: behind both addresses.
const PLACE_OF_TAG: usize = 12;
const PACKET_OUTGOING: u8 = 4;

/// What the packets of a section have in common.
#[derive(Clone, Copy, Debug)]
pub struct Section {
    pub link: LinkType,
    /// The most bytes of a packet.
    pub snap_length: u32,
}

/// What is told at the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub received: u64,
    pub dropped: u64,
}

impl Section {
    /// Writes what comes before the packets.
    pub fn begin(self, buffer: &mut Vec<u8>, name: &str, filter: Option<&str>) {
        let mut header = Block::begin(buffer, SECTION_HEADER);
        header.u32(BYTE_ORDER).u16(1).u16(0).bytes(&UNKNOWN_LENGTH);
        header.option(4, b"nsset").end_options().end();
        let mut interface = Block::begin(buffer, INTERFACE_DESCRIPTION);
        interface.u16(self.link.number()).u16(0).u32(self.snap_length);
        interface.option(2, name.as_bytes()).option(9, &[NANOSECONDS]);
        // An option has at most 65,535 bytes.
        if let Some(filter) = filter.filter(|filter| filter.len() < usize::from(u16::MAX)) {
            // 0: a filter of libpcap.
            interface.option(11, &[&[0], filter.as_bytes()].concat());
        }
        interface.end_options().end();
    }

    /// Writes a packet.
    pub fn packet(self, buffer: &mut Vec<u8>, packet: &Packet<'_>) {
        let (header, body) = self.parts(packet);
        let front = header.as_slice();
        let (start, rest) = body;
        let whole = start.len() + front.len() + rest.len();
        let taken = whole.min(self.snap_length as usize);
        let mut block = Block::begin(buffer, ENHANCED_PACKET);
        block.u32(0).time(packet.nanoseconds).u32(taken as u32).u32(packet.length + front.len() as u32);
        for part in [start, front, rest] {
            block.bytes(part);
        }
        block.shorten(whole - taken).pad();
        block.option(2, &flags(packet.kind).to_le_bytes()).end_options().end();
    }

    /// Writes the statistics. The codes are those that Wireshark writes and shows.
    pub fn end(buffer: &mut Vec<u8>, began: u64, ended: u64, totals: Totals) {
        let mut block = Block::begin(buffer, INTERFACE_STATISTICS);
        block.u32(0).time(ended);
        for (code, time) in [(2, began), (3, ended)] {
            let halves = [(time >> 32) as u32, time as u32].map(u32::to_le_bytes);
            block.option(code, halves.as_flattened());
        }
        block.option(4, &totals.received.to_le_bytes()).option(5, &totals.dropped.to_le_bytes());
        block.end_options().end();
    }

    /// Returns what is written into a packet, and what comes before and after it.
    fn parts<'block>(self, packet: &Packet<'block>) -> (Inserted, (&'block [u8], &'block [u8])) {
        match (self.link, packet.tag) {
            (LinkType::Cooked, _) => (Inserted::of_cooked(packet), (&[], packet.bytes)),
            (LinkType::Ethernet, Some(tag)) => match packet.bytes.split_at_checked(PLACE_OF_TAG) {
                Some(parts) => (Inserted::of_tag(tag), parts),
                None => (Inserted::default(), (packet.bytes, &[])),
            },
            _ => (Inserted::default(), (&[], packet.bytes)),
        }
    }
}

/// What the ring does not have as bytes of the packet.
#[derive(Default)]
struct Inserted {
    bytes: [u8; 20],
    length: usize,
}

impl Inserted {
    /// The header of `LINKTYPE_LINUX_SLL2`.
    fn of_cooked(packet: &Packet<'_>) -> Self {
        Self::default()
            .with(&packet.protocol.to_be_bytes())
            .with(&[0; 2])
            .with(&packet.link.to_be_bytes())
            .with(&packet.hardware.to_be_bytes())
            .with(&[packet.kind, packet.address_length])
            .with(&packet.address)
    }

    fn of_tag(Tag { ether_type, control }: Tag) -> Self {
        Self::default().with(&ether_type.to_be_bytes()).with(&control.to_be_bytes())
    }

    fn with(mut self, bytes: &[u8]) -> Self {
        if let Some(place) = self.bytes.get_mut(self.length..).and_then(|rest| rest.get_mut(..bytes.len())) {
            place.copy_from_slice(bytes);
            self.length += bytes.len();
        }
        self
    }

    fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

/// The option `epb_flags`: the direction, and for whom it was.
const fn flags(kind: u8) -> u32 {
    const INBOUND: u32 = 1;
    const OUTBOUND: u32 = 2;
    match kind {
        0 => INBOUND | 1 << 2,
        // PACKET_BROADCAST, PACKET_MULTICAST, PACKET_OTHERHOST
        1 => INBOUND | 3 << 2,
        2 => INBOUND | 2 << 2,
        3 => INBOUND | 4 << 2,
        PACKET_OUTGOING => OUTBOUND,
        _ => 0,
    }
}
