//! Writes the options of a queueing discipline in the format of the kernel's structs.

use netlink_packet_core::{DefaultNla, Emitable};

/// A builder for the options.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    header: Vec<u8>,
    attributes: Vec<DefaultNla>,
}

impl Options {
    /// Starts with a struct before the attributes.
    pub fn headed(words: &[u32]) -> Self {
        Self { header: bytes(words), attributes: Vec::new() }
    }

    /// Adds an attribute of 32-bit words.
    pub fn put(&mut self, kind: u16, words: &[u32]) {
        self.attributes.push(DefaultNla::new(kind, bytes(words)));
    }

    /// Adds an attribute of 64 bits.
    pub fn put_u64(&mut self, kind: u16, value: u64) {
        self.attributes.push(DefaultNla::new(kind, value.to_ne_bytes().into()));
    }

    /// Adds an attribute of bytes.
    pub fn put_bytes(&mut self, kind: u16, value: Vec<u8>) {
        self.attributes.push(DefaultNla::new(kind, value));
    }

    pub fn into_bytes(self) -> Vec<u8> {
        let mut attributes = vec![0; self.attributes.as_slice().buffer_len()];
        self.attributes.as_slice().emit(&mut attributes);
        [self.header, attributes].concat()
    }
}

fn bytes(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_ne_bytes()).collect()
}
