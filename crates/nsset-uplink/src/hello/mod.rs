//! The names that a program says in a connection.

mod chunks;
mod found;
mod head;
mod http;
mod talk;
mod tls;

use found::Hello;
pub use talk::{Heard, Talk};

/// More bytes than any client sends before it has named the host.
pub const MOST: usize = 48 * 1024;

/// Reads the first bytes of a connection, or of a request in it.
fn read(bytes: &[u8]) -> Hello {
    let hello = match bytes.first() {
        None => Hello::Incomplete,
        Some(&tls::HANDSHAKE) => tls::read(bytes),
        Some(_) => http::read(bytes),
    };
    if hello == Hello::Incomplete && bytes.len() >= MOST { Hello::Unreadable } else { hello }
}
