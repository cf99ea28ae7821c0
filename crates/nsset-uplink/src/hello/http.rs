//! The first line of a request of HTTP/1 (RFC 9112).

use crate::hello::{found::Hello, head};

/// The preface of HTTP/2 without TLS. Its names are compressed.
const PREFACE: &[u8] = b"PRI * HTTP/2.0";

/// A line of a request is not longer than this with any server.
const LONGEST_LINE: usize = 16 * 1024;

/// Any method counts: servers may know others than clients usually send.
pub fn read(bytes: &[u8]) -> Hello {
    // A server ignores empty lines before a request (RFC 9112, section 2.2).
    let request = bytes.trim_ascii_start();
    let Some(line) = request.split_inclusive(|byte| *byte == b'\n').next() else { return Hello::Incomplete };
    let is_whole = line.ends_with(b"\n");
    let has_version = is_whole && has_version(line);
    if !has_version && !may_begin(line) {
        return Hello::Nothing;
    }
    if !is_whole {
        return if line.len() < LONGEST_LINE { Hello::Incomplete } else { Hello::Unreadable };
    }
    if !has_version {
        return Hello::Nothing;
    }
    if request.starts_with(PREFACE) {
        return Hello::Unreadable;
    }
    head::read(request, bytes.len() - request.len())
}

/// Whether a line names a version of HTTP after a space. Some servers take any white space for one (RFC 9112, section 3).
fn has_version(line: &[u8]) -> bool {
    line.windows(6).any(|window| is_space(window) && window.get(1..).is_some_and(is_name_of_version))
}

fn is_space(window: &[u8]) -> bool {
    window.first().is_some_and(|byte| b" \t\x0b\x0c\r".contains(byte))
}

fn is_name_of_version(text: &[u8]) -> bool {
    text.eq_ignore_ascii_case(b"HTTP/")
}

/// Whether a line begins like that of a request.
fn may_begin(line: &[u8]) -> bool {
    let method = line.iter().position(|byte| *byte == b' ').map_or(line, |end| line.get(..end).unwrap_or_default());
    method.iter().copied().all(is_of_method) && line.iter().all(|byte| is_of_line(*byte))
}

/// The characters of a token (RFC 9110, section 5.6.2), and the white space that some servers take for a space.
fn is_of_method(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~\r\n\t\x0b\x0c".contains(&byte)
}

fn is_of_line(byte: u8) -> bool {
    byte >= b' ' || b"\r\n\t\x0b\x0c".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hello::found::{Body, Request};

    fn host(bytes: &[u8]) -> Option<String> {
        match read(bytes) {
            Hello::Request(request) => request.host,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_host_is_found() {
        assert_eq!(host(b"GET / HTTP/1.1\r\nhost: A.Test:8080\r\n\r\n").as_deref(), Some("a.test"));
        assert_eq!(host(b"GET http://a.test/x HTTP/1.1\r\nHost: a.test\r\n\r\n").as_deref(), Some("a.test"));
        assert_eq!(host(b"CONNECT a.test:443 HTTP/1.1\r\n\r\n").as_deref(), Some("a.test"));
        assert_eq!(host(b"GET / HTTP/1.0\n\n"), None);
        assert_eq!(host(b"GET / HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n\r\n").as_deref(), Some("2001:db8::1"));
    }

    #[test]
    fn the_end_of_the_head_and_the_body_are_found() {
        let read = |fields: &str| read(format!("\r\nPOST / HTTP/1.1\r\nHost: a.test\r\n{fields}\r\nrest").as_bytes());
        let request = |length: usize, body, may_switch| {
            Hello::Request(Request { host: Some("a.test".to_owned()), length: 35 + length, body, may_switch })
        };
        assert_eq!(read(""), request(0, Body::Length(0), false));
        assert_eq!(read("content-length: 12\r\n"), request(20, Body::Length(12), false));
        assert_eq!(read("Transfer-Encoding:  CHUNKED \r\n"), request(30, Body::Chunks, false));
        assert_eq!(read("Upgrade: websocket\r\n"), request(20, Body::Length(0), true));
    }

    #[test]
    fn a_request_that_servers_read_differently_cannot_be_read() {
        for text in [
            "GET / HTTP/1.1\r\nHost: a.test\r\nHost: b.test\r\n\r\n",
            "GET http://b.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n",
            "GET / HTTP/1.1\r\nX: y\r\n Host: a.test\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a.test/b.test\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a.test:80:b.test\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a.test:80 b.test\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: [a.test]b.test\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: [::1]b.test\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a.test@b.test\r\n\r\n",
            "GET / HTTP/1.1\r\nHost : a.test\r\n\r\n",
            "GET / HTTP/1.1\r\nX: y\rHost: b.test\r\nHost: a.test\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a.test\r\nContent-Length: +1\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            "GET / HTTP/1.0\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n",
            "GET\t/\tHTTP/1.1\r\nHost: a.test\r\n\r\n",
            "GET\x0b/ HTTP/1.1\r\nHost: a.test\r\n\r\n",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        ] {
            assert_eq!(read(text.as_bytes()), Hello::Unreadable, "{text}");
        }
    }

    #[test]
    fn a_head_without_its_end_is_incomplete() {
        for text in ["G", "GET", "GET / HTTP/1.1\r\nHost: a.test\r\n"] {
            assert_eq!(read(text.as_bytes()), Hello::Incomplete, "{text}");
        }
        for text in ["SSH-2.0-OpenSSH\r\n", "EHLO me\r\n", "GET /\r\n", "ABCD\0"] {
            assert_eq!(read(text.as_bytes()), Hello::Nothing, "{text}");
        }
    }

    #[test]
    fn other_methods_and_empty_lines_hide_no_host() {
        assert_eq!(host(b"PROPFIND / HTTP/1.1\r\nHost: a.test\r\n\r\n").as_deref(), Some("a.test"));
        assert_eq!(host(b"\r\n\r\nGET / HTTP/1.1\r\nHost: a.test\r\n\r\n").as_deref(), Some("a.test"));
        assert_eq!(host(b"get / http/1.1\r\nHost: a.test\r\n\r\n").as_deref(), Some("a.test"));
    }
}
