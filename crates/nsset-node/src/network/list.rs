//! The text of a list, written as the kernel sends it.

use serde::Serialize;

use crate::network::outcome::PromisedResults;

/// The size of the first part in bytes. Each part is twice as long as the one before, up to `LONGEST_PART`: JavaScript begins
/// early, and a long list has few parts.
const FIRST_PART: usize = 16 * 1024;
const LONGEST_PART: usize = 256 * 1024;

/// What stands for the list among the results if it was sent in parts.
const SENT: &str = "null";

/// Writes a list as JSON, and sends it in parts if there is a promise.
pub struct ListWriter<'a> {
    promised: Option<&'a PromisedResults>,
    /// A JSON array without its closing bracket.
    text: Vec<u8>,
    part: usize,
    is_sent: bool,
    failure: Option<serde_json::Error>,
}

impl<'a> ListWriter<'a> {
    pub fn new(promised: Option<&'a PromisedResults>) -> Self {
        Self { promised, text: Vec::new(), part: FIRST_PART, is_sent: false, failure: None }
    }

    pub fn add(&mut self, object: &impl Serialize) {
        self.text.push(if self.text.is_empty() { b'[' } else { b',' });
        if let Err(error) = serde_json::to_writer(&mut self.text, object) {
            self.failure = Some(error);
        }
        if self.text.len() >= self.part {
            self.send();
        }
    }

    /// Returns the result of the operation, which is JSON.
    pub fn end(mut self) -> nsset::Result<String> {
        if self.is_sent && !self.text.is_empty() {
            self.send();
        }
        match self.failure {
            Some(error) => Err(nsset::Error::InvalidArgument(error.to_string())),
            None if self.is_sent => Ok(SENT.into()),
            None => Ok(self.take()),
        }
    }

    fn send(&mut self) {
        let Some(promised) = self.promised else { return };
        let part = self.take();
        promised.send_part(part);
        self.part = (2 * self.part).min(LONGEST_PART);
        self.is_sent = true;
    }

    fn take(&mut self) -> String {
        let mut text = std::mem::take(&mut self.text);
        if text.is_empty() {
            text.push(b'[');
        }
        text.push(b']');
        // serde_json writes UTF-8 only.
        String::from_utf8(text).unwrap_or_default()
    }
}
