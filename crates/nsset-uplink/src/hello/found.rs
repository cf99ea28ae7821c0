//! What is found in first bytes.

/// What the first bytes say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hello {
    /// There are too few bytes.
    Incomplete,
    /// They are a ClientHello of TLS. After it, only what answers the server could name another host.
    ClientHello(ClientHello),
    /// They are the head of a request of HTTP/1, after which there may be others.
    Request(Request),
    /// They name no host: another protocol, or none given.
    Nothing,
    /// They begin like TLS or HTTP, and cannot be read.
    Unreadable,
}

/// The beginning of TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientHello {
    /// The server name.
    pub host: Option<String>,
    /// How many bytes its records have.
    pub length: usize,
}

/// The head of a request of HTTP/1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub host: Option<String>,
    /// How many bytes the head has.
    pub length: usize,
    pub body: Body,
    /// Whether it asks to go on with another protocol (`Upgrade`, `CONNECT`).
    pub may_switch: bool,
}

/// What comes after the head of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    Length(u64),
    Chunks,
}
