//! The host in the head of a request of HTTP/1 (RFC 9112).

use crate::{hello::found::Hello, rules::normalized};

/// The preface of HTTP/2 without TLS. Its names are compressed.
const PREFACE: &[u8] = b"PRI * HTTP/2.0";

/// A line of a request is not longer than this with any server.
const LONGEST_LINE: usize = 16 * 1024;

/// Any method counts: servers may know others than clients usually send.
pub fn read(bytes: &[u8]) -> Hello {
    // A server ignores empty lines before a request (RFC 9112, section 2.2).
    let bytes = bytes.trim_ascii_start();
    let Some(line) = bytes.split_inclusive(|byte| *byte == b'\n').next() else { return Hello::Incomplete };
    let method = line.iter().position(|byte| *byte == b' ').map_or(line, |end| line.get(..end).unwrap_or_default());
    if !method.iter().copied().all(is_of_method) || !line.iter().all(|byte| is_of_line(*byte)) {
        return Hello::Nothing;
    }
    if !line.ends_with(b"\n") {
        return if line.len() < LONGEST_LINE { Hello::Incomplete } else { Hello::Unreadable };
    }
    let version = line.trim_ascii_end().rsplit(|byte| *byte == b' ').next().unwrap_or_default();
    if !version.get(..5).is_some_and(|start| start.eq_ignore_ascii_case(b"HTTP/")) {
        return Hello::Nothing;
    }
    if bytes.starts_with(PREFACE) {
        return Hello::Unreadable;
    }
    // A line may end without a carriage return.
    let Some(end) = end_of_head(bytes) else { return Hello::Incomplete };
    let head = bytes.get(..end).unwrap_or_default();
    let mut lines = head.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end);
    let target = lines.next().and_then(target_of).unwrap_or_default();
    let mut named = None;
    for line in lines {
        // A line that continues the one before is read differently by different servers.
        if line.first().is_some_and(u8::is_ascii_whitespace) {
            return Hello::Unreadable;
        }
        let Some((name, value)) = split(line) else { continue };
        if !name.trim_ascii().eq_ignore_ascii_case(b"host") {
            continue;
        }
        if named.is_some() {
            return Hello::Unreadable;
        }
        named = Some(value.trim_ascii());
    }
    match (authority_of(target), named) {
        (None, None) => Hello::Nothing,
        // The target decides, RFC 9112, section 3.2.2; not every server follows that.
        (Some(target), Some(host)) if host_of(target) != host_of(host) => Hello::Unreadable,
        (Some(host), _) | (None, Some(host)) => host_of(host).map_or(Hello::Unreadable, Hello::Name),
    }
}

/// The characters of a token, RFC 9110, section 5.6.2.
fn is_of_method(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~\r\n".contains(&byte)
}

fn is_of_line(byte: u8) -> bool {
    byte >= b' ' || b"\r\n\t".contains(&byte)
}

fn end_of_head(bytes: &[u8]) -> Option<usize> {
    let with_return = bytes.windows(4).position(|window| window == b"\r\n\r\n");
    let without = bytes.windows(2).position(|window| window == b"\n\n");
    let mixed = bytes.windows(3).position(|window| window == b"\n\r\n");
    [with_return, without, mixed].into_iter().flatten().min()
}

fn target_of(line: &[u8]) -> Option<&[u8]> {
    line.split(|byte| *byte == b' ').filter(|word| !word.is_empty()).nth(1)
}

/// The host of `http://host/path`, or of `host:port` as with CONNECT.
fn authority_of(target: &[u8]) -> Option<&[u8]> {
    if target.starts_with(b"/") || target == b"*" || target.is_empty() {
        return None;
    }
    let rest = match target.windows(3).position(|window| window == b"://") {
        Some(place) => target.get(place + 3..)?,
        None => target,
    };
    let authority = rest.split(|byte| b"/?#".contains(byte)).next()?;
    // After the last @, if there is a user.
    authority.rsplit(|byte| *byte == b'@').next()
}

/// The host without its port. An IPv6 address keeps no brackets.
fn host_of(authority: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(authority).ok()?;
    let host = match text.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?.0,
        None => text.split_once(':').map_or(text, |(host, _)| host),
    };
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    (!host.is_empty() && host.bytes().all(is_plain)).then(|| normalized(host))
}

fn split(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let place = line.iter().position(|byte| *byte == b':')?;
    Some((line.get(..place)?, line.get(place + 1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Hello {
        Hello::Name(text.to_owned())
    }

    #[test]
    fn the_host_is_found() {
        assert_eq!(read(b"GET / HTTP/1.1\r\nhost: A.Test:8080\r\n\r\n"), name("a.test"));
        assert_eq!(read(b"GET http://a.test/x HTTP/1.1\r\nHost: a.test\r\n\r\n"), name("a.test"));
        assert_eq!(read(b"CONNECT a.test:443 HTTP/1.1\r\n\r\n"), name("a.test"));
        assert_eq!(read(b"GET / HTTP/1.0\n\n"), Hello::Nothing);
        assert_eq!(read(b"GET / HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n\r\n"), name("2001:db8::1"));
    }

    #[test]
    fn a_request_that_servers_read_differently_cannot_be_read() {
        for text in [
            "GET / HTTP/1.1\r\nHost: a.test\r\nHost: b.test\r\n\r\n",
            "GET http://b.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n",
            "GET / HTTP/1.1\r\nX: y\r\n Host: a.test\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a.test/b.test\r\n\r\n",
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
        assert_eq!(read(b"PROPFIND / HTTP/1.1\r\nHost: a.test\r\n\r\n"), name("a.test"));
        assert_eq!(read(b"\r\n\r\nGET / HTTP/1.1\r\nHost: a.test\r\n\r\n"), name("a.test"));
        assert_eq!(read(b"get / http/1.1\r\nHost: a.test\r\n\r\n"), name("a.test"));
    }
}
