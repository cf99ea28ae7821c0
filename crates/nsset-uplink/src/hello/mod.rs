//! The name that the first bytes of a connection contain.

mod found;
mod http;
mod tls;

pub use found::Hello;

/// More bytes than any client sends before it has named the host.
const MOST: usize = 48 * 1024;

/// Reads the first bytes of a connection.
pub fn read(bytes: &[u8]) -> Hello {
    let hello = match bytes.first() {
        None => Hello::Incomplete,
        Some(&tls::HANDSHAKE) => tls::read(bytes),
        Some(_) => http::read(bytes),
    };
    if hello == Hello::Incomplete && bytes.len() >= MOST { Hello::Unreadable } else { hello }
}
