//! A block: its type and length, its contents, and its length again.

/// Writes a block to the end of a buffer. Numbers are little-endian.
pub struct Block<'buffer> {
    buffer: &'buffer mut Vec<u8>,
    start: usize,
}

/// The option that ends options.
const END_OF_OPTIONS: u16 = 0;

impl<'buffer> Block<'buffer> {
    pub fn begin(buffer: &'buffer mut Vec<u8>, kind: u32) -> Self {
        let start = buffer.len();
        buffer.extend_from_slice(&kind.to_le_bytes());
        buffer.extend_from_slice(&[0; 4]);
        Self { buffer, start }
    }

    pub fn u16(&mut self, number: u16) -> &mut Self {
        self.bytes(&number.to_le_bytes())
    }

    pub fn u32(&mut self, number: u32) -> &mut Self {
        self.bytes(&number.to_le_bytes())
    }

    /// The time in the units of the interface, the high half first.
    pub fn time(&mut self, units: u64) -> &mut Self {
        self.u32((units >> 32) as u32).u32(units as u32)
    }

    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.buffer.extend_from_slice(bytes);
        self
    }

    /// Removes this many bytes from the end.
    pub fn shorten(&mut self, by: usize) -> &mut Self {
        self.buffer.truncate(self.buffer.len().saturating_sub(by));
        self
    }

    /// Adds zeros up to a multiple of four.
    pub fn pad(&mut self) -> &mut Self {
        let length = (self.buffer.len() - self.start).next_multiple_of(4);
        self.buffer.resize(self.start + length, 0);
        self
    }

    pub fn option(&mut self, code: u16, value: &[u8]) -> &mut Self {
        self.u16(code).u16(value.len() as u16).bytes(value).pad()
    }

    pub fn end_options(&mut self) -> &mut Self {
        self.u16(END_OF_OPTIONS).u16(0)
    }

    /// Writes the length at both ends.
    pub fn end(&mut self) {
        let length = (self.buffer.len() - self.start + size_of::<u32>()) as u32;
        self.u32(length);
        if let Some(place) = self.buffer.get_mut(self.start + 4..).and_then(<[u8]>::first_chunk_mut) {
            *place = length.to_le_bytes();
        }
    }
}
