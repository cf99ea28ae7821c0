//! What a program says in a connection: the names in it, and how far it may go on.

use crate::hello::{
    self,
    chunks::Chunks,
    found::{Body, Hello, Request},
};

/// The names in what one end says: the server name of TLS, or the host of each request of HTTP/1.
#[derive(Debug)]
pub struct Talk {
    part: Part,
    /// How many bytes may pass before it is read further.
    permitted: usize,
}

#[derive(Debug)]
enum Part {
    /// The first bytes of the connection, or of another protocol after a request.
    Beginning,
    /// A request, or the body of one that ends with its length.
    Request,
    Body(Chunks),
    /// Nothing more is read.
    Free,
}

/// What has been heard.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard {
    /// There are too few bytes.
    Incomplete,
    /// A name, and if it is allowed, some bytes may pass.
    Name(String),
    /// Some bytes may pass.
    Nothing,
    Unreadable,
}

impl Talk {
    /// Begins to listen.
    pub fn new() -> Self {
        Self { part: Part::Beginning, permitted: 0 }
    }

    /// Does not listen.
    pub fn free() -> Self {
        Self { part: Part::Free, permitted: 0 }
    }

    /// How many bytes may pass now.
    pub fn permitted(&self) -> usize {
        if matches!(self.part, Part::Free) { usize::MAX } else { self.permitted }
    }

    /// Notes that bytes have passed.
    pub fn pass(&mut self, length: usize) {
        self.permitted = self.permitted.saturating_sub(length);
    }

    /// Whether it needs all bytes that have come at once.
    pub fn needs_all(&self) -> bool {
        matches!(self.part, Part::Beginning | Part::Request)
    }

    /// Reads the bytes after those that have passed. `is_last`: no others will come.
    pub fn hear(&mut self, bytes: &[u8], is_last: bool) -> Heard {
        if let Part::Body(chunks) = &mut self.part {
            let Ok(read) = chunks.read(bytes) else { return Heard::Unreadable };
            self.permitted = read;
            if chunks.has_ended() {
                self.part = Part::Request;
            }
            return Heard::Nothing;
        }
        let is_request = matches!(self.part, Part::Request);
        match read(bytes, is_last) {
            Hello::Incomplete if !is_last => Heard::Incomplete,
            Hello::Request(request) => self.request(request),
            Hello::Unreadable => Heard::Unreadable,
            // A server does not understand another protocol there.
            Hello::Name(_) | Hello::Nothing if is_request => Heard::Unreadable,
            Hello::Name(name) => {
                self.part = Part::Free;
                Heard::Name(name)
            }
            Hello::Nothing | Hello::Incomplete => {
                self.part = Part::Free;
                Heard::Nothing
            }
        }
    }

    fn request(&mut self, Request { host, length, body, may_switch }: Request) -> Heard {
        let next = if may_switch { Part::Beginning } else { Part::Request };
        (self.permitted, self.part) = match body {
            Body::Length(more) => (length.saturating_add(usize::try_from(more).unwrap_or(usize::MAX)), next),
            Body::Chunks => (length, Part::Body(Chunks::default())),
        };
        host.map_or(Heard::Nothing, Heard::Name)
    }
}

/// Some servers take the end of a connection for the end of a head.
fn read(bytes: &[u8], is_last: bool) -> Hello {
    match hello::read(bytes) {
        Hello::Incomplete if is_last => hello::read(&[bytes, b"\r\n\r\n"].concat()),
        hello => hello,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names in bytes that come in parts of a length, and whether all of them may pass.
    fn names(bytes: &[u8], length: usize) -> (Vec<String>, bool) {
        let (mut talk, mut names, mut start) = (Talk::new(), Vec::new(), 0);
        for end in (0..bytes.len()).step_by(length).skip(1).chain([bytes.len()]) {
            while start < end {
                let most = talk.permitted().min(end - start);
                if most > 0 {
                    talk.pass(most);
                    start += most;
                    continue;
                }
                match talk.hear(&bytes[start..end], end == bytes.len()) {
                    Heard::Incomplete => break,
                    Heard::Unreadable => return (names, false),
                    Heard::Name(name) => names.push(name),
                    Heard::Nothing => {}
                }
            }
        }
        (names, start == bytes.len())
    }

    fn in_all_parts(text: &str) -> (Vec<String>, bool) {
        let whole = names(text.as_bytes(), text.len());
        for length in 1..text.len() {
            assert_eq!(names(text.as_bytes(), length), whole, "{length}: {text:?}");
        }
        whole
    }

    fn all(names: &[&str], may_pass: bool) -> (Vec<String>, bool) {
        (names.iter().map(|name| (*name).to_owned()).collect(), may_pass)
    }

    const B: &str = "GET / HTTP/1.1\r\nHost: b.test\r\n\r\n";

    #[test]
    fn every_request_is_heard() {
        for body in [
            "\r\n",
            "Content-Length: 3\r\n\r\nabc",
            "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
            "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n\r\n",
        ] {
            let text = format!("POST / HTTP/1.1\r\nHost: a.test\r\n{body}{B}");
            assert_eq!(in_all_parts(&text), all(&["a.test", "b.test"], true));
        }
        assert_eq!(in_all_parts(&format!("GET / HTTP/1.0\r\n\r\n{B}")), all(&["b.test"], true));
    }

    #[test]
    fn a_body_is_no_request() {
        let text = format!("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: {}\r\n\r\n{B}", B.len());
        assert_eq!(in_all_parts(&text), all(&["a.test"], true));
    }

    #[test]
    fn no_other_protocol_follows_a_request_that_does_not_ask_for_it() {
        let first = "GET / HTTP/1.1\r\nHost: a.test\r\n";
        assert_eq!(in_all_parts(&format!("{first}\r\n\0\0")), all(&["a.test"], false));
        assert_eq!(in_all_parts(&format!("{first}Upgrade: x\r\n\r\n\0\0")), all(&["a.test"], true));
        assert_eq!(in_all_parts(&format!("{first}Upgrade: x\r\n\r\n{B}")), all(&["a.test", "b.test"], true));
    }

    #[test]
    fn the_end_of_the_connection_is_one_of_a_head() {
        assert_eq!(in_all_parts("GET / HTTP/1.1\r\nHost: a.test\r\n"), all(&["a.test"], true));
        assert_eq!(in_all_parts("GET / HTTP/1.1\r\nHost: a.test"), all(&["a.test"], true));
        assert_eq!(in_all_parts("no newline"), all(&[], true));
    }
}
