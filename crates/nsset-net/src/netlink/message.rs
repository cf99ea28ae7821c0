//! Writes a request: a header, and attributes, which can be nested (netlink(7)). It is for the messages that
//! netlink-packet-route does not have (next hop objects, filters), and those of which it has each attribute as bytes only.

use netlink_packet_core::{DefaultNla, Emitable, NetlinkSerializable};

/// `NLA_F_NESTED` of linux/netlink.h.
const NESTED: u16 = 1 << 15;

/// Attributes in the kernel's format.
#[derive(Clone, Debug, Default)]
pub(crate) struct AttributeWriter(Vec<u8>);

impl AttributeWriter {
    /// Adds an attribute.
    pub fn put(&mut self, kind: u16, value: &[u8]) {
        let attribute = DefaultNla::new(kind, value.to_vec());
        let start = self.0.len();
        self.0.resize(start + attribute.buffer_len(), 0);
        if let Some(place) = self.0.get_mut(start..) {
            attribute.emit(place);
        }
    }

    pub fn put_u8(&mut self, kind: u16, value: u8) {
        self.put(kind, &[value]);
    }

    pub fn put_u16(&mut self, kind: u16, value: u16) {
        self.put(kind, &value.to_ne_bytes());
    }

    pub fn put_u32(&mut self, kind: u16, value: u32) {
        self.put(kind, &value.to_ne_bytes());
    }

    pub fn put_u64(&mut self, kind: u16, value: u64) {
        self.put(kind, &value.to_ne_bytes());
    }

    /// Adds an attribute that consists of attributes.
    pub fn nest(&mut self, kind: u16, write: impl FnOnce(&mut Self)) {
        let mut inner = Self::default();
        write(&mut inner);
        self.put(kind | NESTED, &inner.0);
    }

    /// Adds a text with a NUL at its end.
    pub fn put_text(&mut self, kind: u16, text: &str) {
        self.put(kind, &[text.as_bytes(), &[0]].concat());
    }
}

impl AttributeWriter {
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// The body of a request.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    kind: u16,
    header: Vec<u8>,
    pub attributes: AttributeWriter,
}

impl Message {
    /// A message of this type: `RTM_*` of rtnetlink(7).
    pub fn new(kind: u16, header: impl Into<Vec<u8>>) -> Self {
        Self { kind, header: header.into(), attributes: AttributeWriter::default() }
    }
}

impl NetlinkSerializable for Message {
    fn message_type(&self) -> u16 {
        self.kind
    }

    fn buffer_len(&self) -> usize {
        self.header.len() + self.attributes.0.len()
    }

    fn serialize(&self, buffer: &mut [u8]) {
        let bytes = self.header.iter().chain(&self.attributes.0);
        buffer.iter_mut().zip(bytes).for_each(|(place, byte)| *place = *byte);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::attributes::Attributes;

    #[test]
    fn attributes_are_padded_and_nested_ones_marked() {
        let mut writer = AttributeWriter::default();
        writer.put_u8(1, 7);
        writer.put_u16(2, 0x0102);
        writer.nest(3, |inner| inner.put(1, &[]));
        let bytes = writer.0;
        assert_eq!(bytes[..8], [5, 0, 1, 0, 7, 0, 0, 0]);
        assert_eq!(bytes[8..16], [6, 0, 2, 0, 2, 1, 0, 0]);
        assert_eq!(bytes[16..], [8, 0, 3, 0x80, 4, 0, 1, 0]);
        let read: Vec<_> =
            Attributes::within(&bytes).map(Result::unwrap).map(|(kind, value)| (kind, value.len())).collect();
        assert_eq!(read, [(1, 1), (2, 2), (3, 4)]);
    }
}
