//! What a program says in a connection: the names in it, and how far it may go on.

use crate::hello::{
    self,
    chunks::Chunks,
    found::{Body, ClientHello, Hello, Request},
    tls::{self, Again, Answer},
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
    /// After a ClientHello, until it is known what the server answers, whose bytes these are.
    Answer(Vec<u8>),
    /// After an answer that asks for another ClientHello.
    Again,
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
        matches!(self.part, Part::Beginning | Part::Request | Part::Again)
    }

    /// Reads what the server says. Returns whether the bytes of the client, which have waited for that, can be read now.
    pub fn answered(&mut self, bytes: &[u8]) -> bool {
        let Part::Answer(read) = &mut self.part else { return false };
        let missing = tls::LENGTH_OF_ANSWER.saturating_sub(read.len());
        read.extend_from_slice(bytes.get(..missing).unwrap_or(bytes));
        self.part = match tls::answer(read) {
            Answer::Incomplete => return false,
            Answer::HelloRetryRequest => Part::Again,
            Answer::Other => Part::Free,
        };
        true
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
        let (is_request, is_again) = (matches!(self.part, Part::Request), matches!(self.part, Part::Again));
        let hello = match &self.part {
            Part::Answer(_) => return Heard::Incomplete,
            Part::Again => match tls::read_again(bytes) {
                Again::Hello(hello) => hello,
                Again::Other(length) => {
                    self.permitted = length;
                    return Heard::Nothing;
                }
            },
            _ => read(bytes, is_last),
        };
        match hello {
            Hello::Incomplete if !is_last => Heard::Incomplete,
            Hello::Request(request) => self.request(request),
            Hello::Unreadable => Heard::Unreadable,
            // A server does not understand another protocol there.
            Hello::ClientHello(_) | Hello::Nothing if is_request => Heard::Unreadable,
            Hello::ClientHello(ClientHello { host, length }) => {
                self.permitted = length;
                self.part = if is_again { Part::Free } else { Part::Answer(Vec::new()) };
                host.map_or(Heard::Nothing, Heard::Name)
            }
            Hello::Nothing | Hello::Incomplete if is_again => Heard::Unreadable,
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

    /// What a ServerHello begins with: one that asks for another ClientHello, or not.
    fn answer(asks: bool) -> Vec<u8> {
        let mut bytes = vec![22, 3, 3, 0, 88, 2, 0, 0, 84, 3, 3];
        bytes.extend_from_slice(if asks { &tls::RETRY } else { &[7; 32] });
        bytes
    }

    fn hello(name: &str) -> Vec<u8> {
        tls::tests::hello(&[name], 100)
    }

    #[test]
    fn nothing_passes_after_a_client_hello_until_the_server_has_answered() {
        let mut talk = Talk::new();
        let first = hello("a.test");
        assert_eq!(talk.hear(&[&first[..], &[20]].concat(), false), Heard::Name("a.test".into()));
        assert_eq!(talk.permitted(), first.len());
        talk.pass(first.len());
        assert_eq!((talk.hear(&[20, 3, 3, 0, 1, 1], false), talk.permitted()), (Heard::Incomplete, 0));
        // In parts.
        assert!(!talk.answered(&answer(false)[..20]));
        assert!(talk.answered(&answer(false)[20..]));
        assert_eq!(talk.permitted(), usize::MAX);
    }

    #[test]
    fn a_name_in_a_second_client_hello_is_heard() {
        for before in [&[][..], &[20, 3, 3, 0, 1, 1], &[23, 3, 3, 0, 2, 1, 2]] {
            let mut talk = Talk::new();
            let first = hello("a.test");
            talk.hear(&first, false);
            talk.pass(first.len());
            assert!(talk.answered(&answer(true)));
            let mut second = [before, &hello("b.test")].concat();
            if !before.is_empty() {
                assert_eq!(talk.hear(&second, false), Heard::Nothing);
                assert_eq!(talk.permitted(), before.len());
                talk.pass(before.len());
                second.drain(..before.len());
            }
            assert_eq!(talk.hear(&second[..50], false), Heard::Incomplete);
            assert_eq!(talk.hear(&second, false), Heard::Name("b.test".into()));
        }
    }

    #[test]
    fn nothing_else_answers_a_request_for_another_client_hello() {
        for bytes in [&b"GET / HTTP/1.1"[..], &[21, 3, 3, 0, 2, 1, 90], &[22, 3, 3, 0, 1, 2]] {
            let mut talk = Talk::new();
            let first = hello("a.test");
            talk.hear(&first, false);
            talk.pass(first.len());
            talk.answered(&answer(true));
            assert_eq!(talk.hear(bytes, false), Heard::Unreadable, "{bytes:?}");
        }
    }
}
