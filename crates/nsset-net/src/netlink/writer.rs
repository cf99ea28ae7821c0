//! Writes attributes: a length, a type and a value, padded to four bytes (netlink(7)). Numbers are big-endian, as nfnetlink has them.
//!
//! A batch has tens of thousands of attributes in each other. The attributes of netlink-packet-core are values that are measured
//! before they are written, at every level; these are written once, and their lengths are filled in afterwards.

use netlink_packet_core::NLA_F_NESTED;

const HEADER: usize = 4;

/// Attributes that are written one after the other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
    /// Whether an attribute was longer than 16 bits can say.
    is_too_long: bool,
}

impl Writer {
    pub fn put(&mut self, kind: u16, value: &[u8]) {
        self.header(HEADER + value.len(), kind);
        self.bytes.extend_from_slice(value);
        self.pad();
    }

    pub fn put_u32(&mut self, kind: u16, value: u32) {
        self.put(kind, &value.to_be_bytes());
    }

    /// Writes a text with the NUL that ends it.
    pub fn put_text(&mut self, kind: u16, text: &str) {
        self.header(HEADER + text.len() + 1, kind);
        self.bytes.extend_from_slice(text.as_bytes());
        self.bytes.push(0);
        self.pad();
    }

    /// Writes an attribute that contains others.
    pub fn nest(&mut self, kind: u16, write: impl FnOnce(&mut Self)) {
        let start = self.bytes.len();
        self.header(HEADER, kind | NLA_F_NESTED);
        write(self);
        let length = self.bytes.len() - start;
        match (u16::try_from(length), self.bytes.get_mut(start..start + 2)) {
            (Ok(length), Some(place)) => place.copy_from_slice(&length.to_ne_bytes()),
            _ => self.is_too_long = true,
        }
    }

    /// Writes bytes that are attributes already.
    pub fn extend(&mut self, attributes: &[u8]) {
        self.bytes.extend_from_slice(attributes);
    }

    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    pub fn is_too_long(&self) -> bool {
        self.is_too_long
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    fn header(&mut self, length: usize, kind: u16) {
        let length = u16::try_from(length).unwrap_or_else(|_| {
            self.is_too_long = true;
            0
        });
        self.bytes.extend_from_slice(&length.to_ne_bytes());
        self.bytes.extend_from_slice(&kind.to_ne_bytes());
    }

    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::attributes::Attributes;

    #[test]
    fn attributes_are_read_as_they_were_written() {
        let mut writer = Writer::default();
        writer.put_text(1, "abc");
        writer.nest(2, |writer| {
            writer.put_u32(3, 0x0102_0304);
            writer.put(4, &[9]);
        });
        let attributes: Vec<_> = Attributes::within(writer.bytes()).map(Result::unwrap).collect();
        assert_eq!(attributes[0], (1, &b"abc\0"[..]));
        let nested: Vec<_> = Attributes::within(attributes[1].1).map(Result::unwrap).collect();
        assert_eq!(nested, [(3, &[1, 2, 3, 4][..]), (4, &[9])]);
        assert!(!writer.is_too_long());
    }

    #[test]
    fn one_that_is_too_long_is_noticed() {
        let mut writer = Writer::default();
        writer.nest(1, |writer| (0..20_000).for_each(|_| writer.put(1, &[])));
        assert!(writer.is_too_long());
    }
}
