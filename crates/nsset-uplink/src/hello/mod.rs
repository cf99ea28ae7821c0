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
        Some(kind) if tls::OTHER_RECORDS.contains(kind) => tls::read_other(bytes),
        Some(_) => http::read(bytes),
    };
    if hello == Hello::Incomplete && bytes.len() >= MOST { Hello::Unreadable } else { hello }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_before_the_client_hello_hides_no_name() {
        // crypto/tls of Go ignores a warning there, and goes on with the ClientHello after it.
        for record in [[21, 3, 1, 0, 2, 1, 90], [20, 3, 3, 0, 1, 1, 22], [24, 3, 3, 0, 2, 1, 0]] {
            assert_eq!(read(&record), Hello::Unreadable);
            assert_eq!(read(&record[..1]), Hello::Incomplete);
        }
        assert_eq!(read(&[21, 2, 0]), Hello::Nothing);
    }
}
