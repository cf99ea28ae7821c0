//! What is wrong with the text of a filter, and where.

use std::fmt;

/// An error in the text of a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// How many characters come before it.
    pub position: usize,
    pub reason: String,
}

impl SyntaxError {
    pub fn new(position: usize, reason: impl Into<String>) -> Self {
        Self { position, reason: reason.into() }
    }
}

impl std::error::Error for SyntaxError {}

impl fmt::Display for SyntaxError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} at position {} of the filter", self.reason, self.position)
    }
}
