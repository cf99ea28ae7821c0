//! One message of nfnetlink: a subsystem, a kind, a family, and attributes.

use netlink_packet_core::NetlinkSerializable;

use super::{batch::nfgenmsg, writer::Writer};

/// `struct nfgenmsg`.
const HEADER: usize = 4;

/// A message that is not part of a batch.
#[derive(Debug)]
pub(crate) struct NetfilterMessage {
    kind: u16,
    family: u8,
    attributes: Writer,
}

impl NetfilterMessage {
    pub fn new(subsystem: u16, kind: u16, family: u8, write: impl FnOnce(&mut Writer)) -> Self {
        let mut attributes = Writer::default();
        write(&mut attributes);
        Self { kind: subsystem << 8 | kind, family, attributes }
    }
}

impl NetlinkSerializable for NetfilterMessage {
    fn message_type(&self) -> u16 {
        self.kind
    }

    fn buffer_len(&self) -> usize {
        HEADER + self.attributes.len()
    }

    fn serialize(&self, buffer: &mut [u8]) {
        if let Some((header, rest)) = buffer.split_at_mut_checked(HEADER) {
            header.copy_from_slice(&nfgenmsg(self.family, 0));
            rest.copy_from_slice(self.attributes.bytes());
        }
    }
}
