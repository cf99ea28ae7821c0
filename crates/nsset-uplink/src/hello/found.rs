//! What is found in first bytes.

/// What the first bytes say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hello {
    /// There are too few bytes.
    Incomplete,
    /// They name a host.
    Name(String),
    /// They name no host: another protocol, or none given.
    Nothing,
    /// They begin like TLS or HTTP, and cannot be read.
    Unreadable,
}
