//! Requests to families of generic netlink for which there is no crate.

use netlink_packet_core::NetlinkSerializable;

/// `struct genlmsghdr` of linux/genetlink.h, and attributes.
#[derive(Clone, Debug)]
pub(crate) struct GenericRequest {
    pub family: u16,
    pub command: u8,
    pub version: u8,
    pub attributes: Vec<u8>,
}

/// `struct genlmsghdr`: the command, the version, and two reserved bytes.
const HEADER: usize = 4;

impl NetlinkSerializable for GenericRequest {
    fn message_type(&self) -> u16 {
        self.family
    }

    fn buffer_len(&self) -> usize {
        HEADER + self.attributes.len()
    }

    fn serialize(&self, buffer: &mut [u8]) {
        for (place, byte) in buffer.iter_mut().zip([self.command, self.version, 0, 0].iter().chain(&self.attributes)) {
            *place = *byte;
        }
    }
}
