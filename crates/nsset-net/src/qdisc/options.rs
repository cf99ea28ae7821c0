//! Writes the options of a queueing discipline, byte for byte as the kernel's structs have them.

/// The options of one, being put together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options(Vec<u8>);

impl Options {
    /// A struct that stands by itself, before any attribute.
    pub fn headed(words: &[u32]) -> Self {
        Self(bytes(words))
    }

    /// Adds an attribute of whole words.
    pub fn put(&mut self, kind: u16, words: &[u32]) {
        self.put_bytes(kind, &bytes(words));
    }

    /// Adds an attribute of 64 bits.
    pub fn put_u64(&mut self, kind: u16, value: u64) {
        self.put_bytes(kind, &value.to_ne_bytes());
    }

    fn put_bytes(&mut self, kind: u16, value: &[u8]) {
        let length = 4 + value.len() as u16;
        self.0.extend(length.to_ne_bytes());
        self.0.extend(kind.to_ne_bytes());
        self.0.extend(value);
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

fn bytes(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_ne_bytes()).collect()
}
