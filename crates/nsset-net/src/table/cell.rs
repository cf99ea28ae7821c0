//! A value of a property.

use std::ops::Range;

/// A value of a property. What has no fixed size is among the bytes of its row.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    Null,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Text(Range<usize>),
    /// An array, as JSON.
    Array(Range<usize>),
}

impl Cell {
    /// Writes it as JSON. `bytes` are those of its row.
    pub fn write(&self, bytes: &[u8], text: &mut Vec<u8>) {
        let written = match self {
            Self::Null => serde_json::to_writer(text, &()),
            Self::Bool(value) => serde_json::to_writer(text, value),
            Self::Unsigned(value) => serde_json::to_writer(text, value),
            Self::Signed(value) => serde_json::to_writer(text, value),
            Self::Float(value) => serde_json::to_writer(text, value),
            Self::Text(range) => serde_json::to_writer(text, text_at(bytes, range)),
            Self::Array(range) => {
                text.extend_from_slice(bytes.get(range.clone()).unwrap_or_default());
                Ok(())
            }
        };
        // Numbers and texts can always be written to memory.
        drop(written);
    }
}

/// Returns a text of a row.
fn text_at<'a>(bytes: &'a [u8], range: &Range<usize>) -> &'a str {
    str::from_utf8(bytes.get(range.clone()).unwrap_or_default()).unwrap_or_default()
}
