//! The header of virtio that a packet socket puts before each frame (`PACKET_VNET_HDR`, linux/virtio_net.h).

/// Its length.
pub const HEADER: usize = 10;

const NEEDS_CHECKSUM: u8 = 1;
const TCP_V4: u8 = 1;
const TCP_V6: u8 = 4;
const UDP: u8 = 5;
const KIND: u8 = 0x7f;

/// What the kernel has left to do, or is left to do, for a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offload {
    flags: u8,
    segments: u8,
    headers: u16,
    segment: u16,
    checksum_start: u16,
    checksum_offset: u16,
}

impl Offload {
    /// The sum of the pseudo-header is in the checksum of the packet, and the kernel completes it. `headers` are those before the
    /// transport's, with Ethernet's.
    pub fn checksum(headers: usize, offset: usize) -> Self {
        let (checksum_start, checksum_offset) = (headers as u16, offset as u16);
        Self { flags: NEEDS_CHECKSUM, checksum_start, checksum_offset, ..Self::default() }
    }

    /// The kernel also cuts the payload into segments, if the packet has to leave as packets of the link.
    pub fn segments(self, is_v4: bool, headers: usize, segment: u16) -> Self {
        Self { segments: if is_v4 { TCP_V4 } else { TCP_V6 }, headers: headers as u16, segment, ..self }
    }

    pub fn read(bytes: [u8; HEADER]) -> Option<Self> {
        let [flags, segments, rest @ ..] = bytes;
        let (words, _) = rest.as_chunks();
        let [headers, segment, checksum_start, checksum_offset] = *<&[[u8; 2]; 4]>::try_from(words).ok()?;
        Some(Self {
            flags,
            segments,
            headers: u16::from_ne_bytes(headers),
            segment: u16::from_ne_bytes(segment),
            checksum_start: u16::from_ne_bytes(checksum_start),
            checksum_offset: u16::from_ne_bytes(checksum_offset),
        })
    }

    pub fn to_bytes(self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        let words = [self.headers, self.segment, self.checksum_start, self.checksum_offset];
        let all = [self.flags, self.segments].into_iter().chain(words.into_iter().flat_map(u16::to_ne_bytes));
        for (byte, value) in bytes.iter_mut().zip(all) {
            *byte = value;
        }
        bytes
    }

    /// The payload of each datagram, if the frame contains several of them with one header (`UDP_SEGMENT` in udp(7)).
    pub fn datagram(self) -> Option<usize> {
        (self.segments & KIND == UDP && self.segment > 0).then_some(usize::from(self.segment))
    }
}
