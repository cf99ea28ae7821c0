//! The buffer for the datagrams of an answer. One is kept for each thread, and not for each socket, because it would be most of
//! the memory of an open network.

use std::{cell::Cell, mem};

/// A larger buffer is freed after use.
const MOST_KEPT: usize = 32 * 1024;

thread_local! {
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// A buffer that returns to its thread when it is dropped. Its content is arbitrary.
pub(crate) struct Buffer(Vec<u8>);

impl Buffer {
    /// Takes the buffer of this thread, or creates one, of this length.
    pub fn take(length: usize) -> Self {
        let mut bytes = SPARE.take();
        bytes.resize(length, 0);
        Self(bytes)
    }

    pub fn bytes(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if self.0.len() <= MOST_KEPT {
            // The thread may be ending, and then has no place for it.
            let _ = SPARE.try_with(|spare| spare.set(mem::take(&mut self.0)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_used_again_by_its_thread_unless_it_is_large() {
        let address = |buffer: &mut Buffer| buffer.bytes().as_ptr().addr();
        let mut first = Buffer::take(MOST_KEPT);
        let mut second = Buffer::take(MOST_KEPT);
        let [one, two] = [address(&mut first), address(&mut second)];
        assert_ne!(one, two);
        drop(first);
        assert_eq!(address(&mut Buffer::take(MOST_KEPT)), one);
        drop(Buffer::take(2 * MOST_KEPT));
        assert_eq!(SPARE.take().len(), 0);
    }
}
