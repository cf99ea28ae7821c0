//! The server name in a ClientHello of TLS (RFC 8446, RFC 6066).

use crate::{hello::found::Hello, rules::normalized};

/// The type of the records of a handshake.
pub const HANDSHAKE: u8 = 22;
const RECORD_HEADER: usize = 5;
const CLIENT_HELLO: u8 = 1;
const SERVER_NAME: u16 = 0;
const HOST_NAME: u8 = 0;

/// The message may be in several records.
pub fn read(bytes: &[u8]) -> Hello {
    if bytes.get(1).is_some_and(|major| *major != 3) {
        return Hello::Nothing;
    }
    let mut message = Vec::new();
    let mut rest = Reader(bytes);
    let mut is_whole = true;
    while !rest.0.is_empty() {
        let Some(header) = rest.take(RECORD_HEADER) else {
            is_whole = false;
            break;
        };
        let &[kind, _, _, a, b] = header else { return Hello::Unreadable };
        if kind != HANDSHAKE {
            break;
        }
        let length = usize::from(u16::from_be_bytes([a, b]));
        let Some(part) = rest.take(length) else {
            message.extend_from_slice(rest.0);
            is_whole = false;
            break;
        };
        message.extend_from_slice(part);
    }
    match whole_message(&message) {
        Some(hello) => server_name(hello).unwrap_or(Hello::Unreadable),
        None if message.first().is_some_and(|kind| *kind != CLIENT_HELLO) => Hello::Unreadable,
        None if is_whole && !rest.0.is_empty() => Hello::Unreadable,
        None => Hello::Incomplete,
    }
}

/// The ClientHello, if all of it has come.
fn whole_message(bytes: &[u8]) -> Option<&[u8]> {
    let mut reader = Reader(bytes);
    if reader.u8()? != CLIENT_HELLO {
        return None;
    }
    let high = usize::from(reader.u8()?);
    let low = usize::from(reader.u16()?);
    reader.take(high << 16 | low)
}

/// `None` if the message is malformed.
fn server_name(hello: &[u8]) -> Option<Hello> {
    let mut reader = Reader(hello);
    // The version and the random bytes.
    reader.take(2 + 32)?;
    let session = usize::from(reader.u8()?);
    reader.take(session)?;
    let ciphers = usize::from(reader.u16()?);
    reader.take(ciphers)?;
    let compressions = usize::from(reader.u8()?);
    reader.take(compressions)?;
    if reader.0.is_empty() {
        return Some(Hello::Nothing);
    }
    let length = usize::from(reader.u16()?);
    let mut extensions = Reader(reader.take(length)?);
    let mut found = None;
    while !extensions.0.is_empty() {
        let kind = extensions.u16()?;
        let length = usize::from(extensions.u16()?);
        let data = extensions.take(length)?;
        if kind == SERVER_NAME {
            // A second one could be what the server takes.
            if found.is_some() {
                return None;
            }
            found = Some(host_name(data)?);
        }
    }
    Some(found.map_or(Hello::Nothing, Hello::Name))
}

fn host_name(data: &[u8]) -> Option<String> {
    let mut reader = Reader(data);
    let length = usize::from(reader.u16()?);
    let mut list = Reader(reader.take(length)?);
    if list.u8()? != HOST_NAME {
        return None;
    }
    let length = usize::from(list.u16()?);
    let name = list.take(length)?;
    // RFC 6066: one name of a type.
    if !list.0.is_empty() {
        return None;
    }
    Some(normalized(std::str::from_utf8(name).ok()?))
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn u8(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn u16(&mut self) -> Option<u16> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u16::from_be_bytes(*bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A ClientHello with these names, cut into records of this length.
    fn hello(names: &[&str], record: usize) -> Vec<u8> {
        let mut extensions = Vec::new();
        for name in names {
            let length = name.len() as u16;
            extensions.extend_from_slice(&[0, 0]);
            extensions.extend_from_slice(&(length + 5).to_be_bytes());
            extensions.extend_from_slice(&(length + 3).to_be_bytes());
            extensions.push(0);
            extensions.extend_from_slice(&length.to_be_bytes());
            extensions.extend_from_slice(name.as_bytes());
        }
        let mut body = vec![3, 3];
        body.extend_from_slice(&[7; 32]);
        body.extend_from_slice(&[0, 0, 2, 0x13, 1, 1, 0]);
        body.extend_from_slice(&(extensions.len() as u16).to_be_bytes());
        body.extend_from_slice(&extensions);
        let mut message = vec![1, 0];
        message.extend_from_slice(&(body.len() as u16).to_be_bytes());
        message.extend_from_slice(&body);
        let mut bytes = Vec::new();
        for part in message.chunks(record) {
            bytes.extend_from_slice(&[22, 3, 1]);
            bytes.extend_from_slice(&(part.len() as u16).to_be_bytes());
            bytes.extend_from_slice(part);
        }
        bytes
    }

    #[test]
    fn the_name_is_found_also_in_several_records() {
        for record in [1000, 40, 7, 1] {
            assert_eq!(read(&hello(&["A.Example.org"], record)), Hello::Name("a.example.org".into()), "{record}");
        }
    }

    #[test]
    fn every_part_is_incomplete() {
        let bytes = hello(&["a.test"], 30);
        for length in 1..bytes.len() {
            assert_eq!(read(&bytes[..length]), Hello::Incomplete, "{length}");
        }
    }

    #[test]
    fn two_names_cannot_be_read() {
        assert_eq!(read(&hello(&["a.test", "b.test"], 1000)), Hello::Unreadable);
        assert_eq!(read(&hello(&[], 1000)), Hello::Nothing);
    }
}
