//! The server name in a ClientHello of TLS (RFC 8446, RFC 6066).

use crate::{
    hello::found::{ClientHello, Hello},
    rules::normalized,
};

/// The type of the records of a handshake.
pub const HANDSHAKE: u8 = 22;
/// Those of other records. The second one is an alert, the last one a heartbeat.
pub const OTHER_RECORDS: [u8; 4] = [CHANGE_CIPHER, 21, DATA, 24];
const CHANGE_CIPHER: u8 = 20;
const DATA: u8 = 23;
const MAJOR: u8 = 3;
const RECORD_HEADER: usize = 5;
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;
const SERVER_NAME: u16 = 0;
const HOST_NAME: u8 = 0;

/// The message may be in several records. Nothing else may be in the last one.
pub fn read(bytes: &[u8]) -> Hello {
    if bytes.get(1).is_some_and(|major| *major != MAJOR) {
        return Hello::Nothing;
    }
    let mut message = Vec::new();
    let mut rest = Reader(bytes);
    loop {
        match rest.record() {
            None => return Hello::Incomplete,
            Some((HANDSHAKE, part)) => message.extend_from_slice(part),
            Some(_) => return Hello::Unreadable,
        }
        if message.first().is_some_and(|kind| *kind != CLIENT_HELLO) {
            return Hello::Unreadable;
        }
        if let Some((hello, others)) = whole_message(&message) {
            let length = bytes.len() - rest.0.len();
            let read = client_hello(hello, length).filter(|_| others.is_empty());
            return read.map_or(Hello::Unreadable, Hello::ClientHello);
        }
    }
}

/// Reads what a client sends after a request for another ClientHello: changes of the cipher and early data may come before it.
pub fn read_again(bytes: &[u8]) -> Again {
    let mut rest = Reader(bytes);
    match bytes.first() {
        Some(&HANDSHAKE) => Again::Hello(read(bytes)),
        Some(&(CHANGE_CIPHER | DATA)) if rest.record().is_some() => Again::Other(bytes.len() - rest.0.len()),
        None | Some(&(CHANGE_CIPHER | DATA)) => Again::Hello(Hello::Incomplete),
        Some(_) => Again::Hello(Hello::Unreadable),
    }
}

/// What comes after a request for another ClientHello.
pub enum Again {
    Hello(Hello),
    /// A record of so many bytes.
    Other(usize),
}

/// What a server answers to a ClientHello.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// There are too few bytes.
    Incomplete,
    /// It asks for another ClientHello.
    HelloRetryRequest,
    Other,
}

/// Where the random bytes of a ServerHello are, after the headers of its record and its message, and its version.
const RANDOM: usize = RECORD_HEADER + 4 + 2;

/// The random bytes that make a ServerHello a HelloRetryRequest (RFC 8446, section 4.1.3).
pub const RETRY: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11,
    0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// How many bytes of an answer [`answer`] needs.
pub const LENGTH_OF_ANSWER: usize = RANDOM + RETRY.len();

pub fn answer(bytes: &[u8]) -> Answer {
    let is_hello =
        bytes.first().is_none_or(|kind| *kind == HANDSHAKE) && bytes.get(5).is_none_or(|kind| *kind == SERVER_HELLO);
    match bytes.get(RANDOM..LENGTH_OF_ANSWER) {
        _ if !is_hello => Answer::Other,
        None => Answer::Incomplete,
        Some(random) if random == RETRY => Answer::HelloRetryRequest,
        Some(_) => Answer::Other,
    }
}

/// No client begins with another record, but some servers ignore one before the ClientHello.
pub fn read_other(bytes: &[u8]) -> Hello {
    match bytes.get(1) {
        None => Hello::Incomplete,
        Some(&MAJOR) => Hello::Unreadable,
        Some(_) => Hello::Nothing,
    }
}

/// The message and the bytes after it, if all of it has come.
fn whole_message(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut reader = Reader(bytes);
    reader.u8()?;
    let high = usize::from(reader.u8()?);
    let low = usize::from(reader.u16()?);
    let message = reader.take(high << 16 | low)?;
    Some((message, reader.0))
}

/// Reads a message whose records have so many bytes. `None` if it is malformed.
fn client_hello(hello: &[u8], records: usize) -> Option<ClientHello> {
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
        return Some(ClientHello { host: None, length: records });
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
    Some(ClientHello { host: found, length: records })
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

    /// The type of a whole record, and what it contains.
    fn record(&mut self) -> Option<(u8, &'a [u8])> {
        let mut reader = Reader(self.0);
        let &[kind, _, _, a, b] = reader.take(RECORD_HEADER)? else { return None };
        let part = reader.take(usize::from(u16::from_be_bytes([a, b])))?;
        self.0 = reader.0;
        Some((kind, part))
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
pub mod tests {
    use super::*;

    /// A ClientHello with these names, cut into records of this length.
    pub fn hello(names: &[&str], record: usize) -> Vec<u8> {
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

    fn found(host: Option<&str>, length: usize) -> Hello {
        Hello::ClientHello(ClientHello { host: host.map(str::to_owned), length })
    }

    #[test]
    fn the_name_is_found_also_in_several_records() {
        for record in [1000, 40, 7, 1] {
            let bytes = hello(&["A.Example.org"], record);
            assert_eq!(read(&bytes), found(Some("a.example.org"), bytes.len()), "{record}");
            // What comes after it does not belong to it.
            assert_eq!(read(&[&bytes[..], &[20, 3, 3, 0, 1, 1]].concat()), found(Some("a.example.org"), bytes.len()));
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
        let none = hello(&[], 1000);
        assert_eq!(read(&none), found(None, none.len()));
    }

    #[test]
    fn two_messages_in_a_record_cannot_be_read() {
        let mut bytes = hello(&["a.test"], 1000);
        bytes.push(1);
        bytes[4] += 1;
        assert_eq!(read(&bytes), Hello::Unreadable);
    }

    #[test]
    fn a_request_for_another_client_hello_is_found() {
        let retry = [&[22, 3, 3, 0, 88, 2, 0, 0, 84, 3, 3], &RETRY[..], &[0; 52]].concat();
        assert_eq!(answer(&retry), Answer::HelloRetryRequest);
        for length in 0..LENGTH_OF_ANSWER {
            assert_eq!(answer(&retry[..length]), Answer::Incomplete, "{length}");
        }
        assert_eq!(answer(&[&retry[..11], &[7; 80]].concat()), Answer::Other);
        assert_eq!(answer(&[21, 3, 3, 0, 2, 2, 40]), Answer::Other);
        assert_eq!(answer(b"HTTP"), Answer::Other);
    }
}
