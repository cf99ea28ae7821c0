//! Fragments of packets that are longer than a link takes (RFC 791, RFC 8200).

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    time::{Duration, Instant},
};

use smoltcp::wire::{Ipv4Packet, Ipv6Packet};

/// How many packets are put together at a time, and how long the fragments of one are kept. With 64 KiB for each, they use 4 MiB.
const MOST: usize = 64;
const PATIENCE: Duration = Duration::from_secs(30);

/// The largest value of a length field.
const LARGEST: usize = 65_535;

/// The protocol of IPv6's header of a fragment, and its length.
pub const FRAGMENT: u8 = 44;
const FRAGMENT_HEADER: usize = 8;
const HEADER_V6: usize = 40;
const MORE: u16 = 1;

/// The offset of a fragment is in units of 8 bytes.
const UNIT: usize = 8;

/// The packets of which fragments have arrived.
#[derive(Debug, Default)]
pub struct Fragments(HashMap<Id, Assembly>);

/// What the fragments of one packet have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Id {
    from: IpAddr,
    to: IpAddr,
    protocol: u8,
    number: u32,
}

struct Fragment<'a> {
    id: Id,
    /// The header of the packet, as if it were whole but for its length.
    header: Vec<u8>,
    start: usize,
    is_last: bool,
    payload: &'a [u8],
}

impl Fragments {
    /// Takes a fragment, and returns the packet if it is the last missing one. In IPv6, its header is the first one after the packet's.
    pub fn take(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        if bytes.first()? >> 4 == 4 { self.take_v4(bytes) } else { self.take_v6(bytes) }
    }

    fn take_v4(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let packet = Ipv4Packet::new_checked(bytes).ok()?;
        let mut header = bytes.get(..usize::from(packet.header_len()))?.to_vec();
        let mut whole = Ipv4Packet::new_unchecked(&mut header);
        whole.clear_flags();
        whole.set_frag_offset(0);
        let (from, to) = (packet.src_addr().into(), packet.dst_addr().into());
        let id = Id { from, to, protocol: packet.next_header().into(), number: packet.ident().into() };
        let (start, is_last) = (usize::from(packet.frag_offset()), !packet.more_frags());
        let mut packet = self.put(Fragment { id, header, start, is_last, payload: packet.payload() })?;
        let length = u16::try_from(packet.len()).ok()?;
        let mut whole = Ipv4Packet::new_unchecked(&mut packet);
        whole.set_total_len(length);
        whole.fill_checksum();
        Some(packet)
    }

    fn take_v6(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let packet = Ipv6Packet::new_checked(bytes).ok()?;
        let (own, payload) = packet.payload().split_first_chunk::<FRAGMENT_HEADER>()?;
        let [protocol, _, a, b, number @ ..] = *own;
        let place = u16::from_be_bytes([a, b]);
        let mut header = bytes.get(..HEADER_V6)?.to_vec();
        *header.get_mut(6)? = protocol;
        let (from, to) = (packet.src_addr().into(), packet.dst_addr().into());
        let id = Id { from, to, protocol, number: u32::from_be_bytes(number) };
        let (start, is_last) = (usize::from(place & !7), place & MORE == 0);
        let mut packet = self.put(Fragment { id, header, start, is_last, payload })?;
        let length = u16::try_from(packet.len() - HEADER_V6).ok()?;
        Ipv6Packet::new_unchecked(&mut packet).set_payload_len(length);
        Some(packet)
    }

    fn put(&mut self, fragment: Fragment<'_>) -> Option<Vec<u8>> {
        let id = fragment.id;
        self.make_room(&id);
        let assembly = self.0.entry(id).or_default();
        match assembly.add(&fragment) {
            Progress::Incomplete => None,
            Progress::Malformed => {
                self.0.remove(&id);
                None
            }
            Progress::Whole => self.0.remove(&id).map(|assembly| [assembly.header, assembly.payload].concat()),
        }
    }

    /// Forgets packets that are too old, and the oldest one if there are too many.
    fn make_room(&mut self, id: &Id) {
        if self.0.contains_key(id) {
            return;
        }
        self.0.retain(|_, assembly| assembly.since.elapsed() < PATIENCE);
        if self.0.len() < MOST {
            return;
        }
        if let Some(oldest) = self.0.iter().min_by_key(|(_, assembly)| assembly.since).map(|(id, _)| *id) {
            self.0.remove(&oldest);
        }
    }
}

/// One packet of which fragments have arrived.
#[derive(Debug)]
struct Assembly {
    since: Instant,
    /// That of the first fragment.
    header: Vec<u8>,
    payload: Vec<u8>,
    /// The start and the end of what has arrived; what adjoins is one part.
    parts: BTreeMap<usize, usize>,
    /// The length of the payload, if its last fragment has arrived.
    length: Option<usize>,
}

impl Default for Assembly {
    fn default() -> Self {
        let (since, parts) = (Instant::now(), BTreeMap::new());
        Self { since, header: Vec::new(), payload: Vec::new(), parts, length: None }
    }
}

enum Progress {
    Incomplete,
    Whole,
    Malformed,
}

impl Assembly {
    fn add(&mut self, fragment: &Fragment<'_>) -> Progress {
        let Fragment { header, start, is_last, payload, .. } = fragment;
        let (start, end) = (*start, start + payload.len());
        let is_cut_well = *is_last || (!payload.is_empty() && payload.len().is_multiple_of(UNIT));
        // The length of an IPv4 packet counts its header.
        let counted = if header.first().is_some_and(|first| first >> 4 == 4) { header.len() } else { 0 };
        if !is_cut_well || counted + end > LARGEST || self.contradicts(start, end, *is_last) {
            return Progress::Malformed;
        }
        if *is_last {
            self.length = Some(end);
        }
        if start == 0 {
            self.header.clone_from(header);
        }
        if self.payload.len() < end {
            self.payload.resize(end, 0);
        }
        if let Some(place) = self.payload.get_mut(start..end) {
            place.copy_from_slice(payload);
        }
        self.join(start, end);
        let is_whole = self.length.is_some() && self.parts.get(&0).copied() == self.length;
        if is_whole { Progress::Whole } else { Progress::Incomplete }
    }

    /// Whether a part overlaps another one, as only an attacker's does (RFC 5722), or is beyond the end.
    fn contradicts(&self, start: usize, end: usize, is_last: bool) -> bool {
        let overlaps = self.parts.range(..end).next_back().is_some_and(|(_, before)| *before > start);
        let last = self.parts.last_key_value().map_or(0, |(_, end)| *end);
        let is_beyond = self.length.is_some_and(|length| is_last || end > length);
        overlaps || is_beyond || (is_last && last > end)
    }

    fn join(&mut self, mut start: usize, mut end: usize) {
        if let Some((before, _)) = self.parts.range(..start).next_back().filter(|(_, its_end)| **its_end == start) {
            start = *before;
        }
        if let Some(its_end) = self.parts.remove(&end) {
            end = its_end;
        }
        self.parts.insert(start, end);
    }
}

/// Cuts a packet into fragments that a link with this mtu takes. `None` if it is malformed.
pub fn cut(packet: &[u8], mtu: usize, number: u32) -> Option<Vec<Vec<u8>>> {
    if packet.len() <= mtu {
        return Some(vec![packet.to_vec()]);
    }
    match packet.first()? >> 4 {
        4 => cut_v4(packet, mtu, number as u16),
        _ => cut_v6(packet, mtu, number),
    }
}

fn cut_v4(packet: &[u8], mtu: usize, number: u16) -> Option<Vec<Vec<u8>>> {
    let own = usize::from(Ipv4Packet::new_checked(packet).ok()?.header_len());
    let (header, payload) = packet.split_at_checked(own)?;
    let most = (mtu - own) / UNIT * UNIT;
    let count = payload.len().div_ceil(most);
    let fragments = payload.chunks(most).enumerate().map(|(index, part)| {
        let mut fragment = [header, part].concat();
        let length = fragment.len() as u16;
        let mut written = Ipv4Packet::new_unchecked(&mut fragment);
        written.set_total_len(length);
        written.clear_flags();
        written.set_more_frags(index + 1 < count);
        written.set_ident(number);
        written.set_frag_offset((index * most) as u16);
        written.fill_checksum();
        fragment
    });
    Some(fragments.collect())
}

fn cut_v6(packet: &[u8], mtu: usize, number: u32) -> Option<Vec<Vec<u8>>> {
    let (header, payload) = packet.split_first_chunk::<HEADER_V6>()?;
    let most = (mtu - HEADER_V6 - FRAGMENT_HEADER) / UNIT * UNIT;
    let count = payload.len().div_ceil(most);
    let [.., protocol, _] = *header.first_chunk::<8>()?;
    let fragments = payload.chunks(most).enumerate().map(|(index, part)| {
        let more = if index + 1 < count { MORE } else { 0 };
        let place = ((index * most) as u16 | more).to_be_bytes();
        let mut fragment = [&header[..], &[protocol, 0], &place, &number.to_be_bytes(), part].concat();
        let mut written = Ipv6Packet::new_unchecked(&mut fragment);
        written.set_payload_len((FRAGMENT_HEADER + part.len()) as u16);
        written.set_next_header(FRAGMENT.into());
        fragment
    });
    Some(fragments.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packets::internet::packet;

    fn packets() -> [Vec<u8>; 2] {
        let payload: Vec<u8> = (0..5000_u32).map(|number| number as u8).collect();
        [("10.0.2.100", "9.9.9.9"), ("fd00::100", "2a00::1")].map(|(from, to)| {
            let (from, to) = (from.parse().unwrap(), to.parse().unwrap());
            packet(from, to, smoltcp::wire::IpProtocol::Udp, &payload).unwrap()
        })
    }

    #[test]
    fn fragments_in_any_order_are_the_packet() {
        for packet in packets() {
            for mtu in [1280, 576, 68] {
                let mut parts = cut(&packet, mtu, 7).unwrap();
                assert!(parts.iter().all(|part| part.len() <= mtu));
                let middle = parts.len() / 2;
                parts.rotate_left(middle);
                parts.reverse();
                let last = parts.pop().unwrap();
                let mut fragments = Fragments::default();
                assert!(parts.iter().all(|part| fragments.take(part).is_none()));
                let whole = fragments.take(&last).unwrap();
                assert_eq!(whole[20..], packet[20..], "{mtu}");
                assert!(whole[0] >> 4 == 6 || Ipv4Packet::new_checked(&whole[..]).unwrap().verify_checksum());
                assert!(fragments.0.is_empty());
            }
        }
    }

    #[test]
    fn a_packet_whose_fragments_overlap_is_forgotten() {
        for packet in packets() {
            let wide = cut(&packet, 1280, 7).unwrap();
            let narrow = cut(&packet, 576, 7).unwrap();
            let mut fragments = Fragments::default();
            assert_eq!(fragments.take(&wide[0]), None);
            assert_eq!(fragments.take(&narrow[1]), None);
            assert!(fragments.0.is_empty());
            // The rest is not taken for the whole.
            assert!(wide[1..].iter().all(|part| fragments.take(part).is_none()));
        }
    }

    #[test]
    fn the_number_of_packets_has_a_bound() {
        let mut fragments = Fragments::default();
        for number in 0..1000 {
            for packet in packets() {
                fragments.take(&cut(&packet, 1280, number).unwrap()[0]);
            }
        }
        assert_eq!(fragments.0.len(), MOST);
    }
}
