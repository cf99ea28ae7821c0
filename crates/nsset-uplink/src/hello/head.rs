//! The fields of a request of HTTP/1 (RFC 9112): its host, and where it ends.

use std::net::Ipv6Addr;

use crate::{
    hello::found::{Body, Hello, Request},
    rules::normalized,
};

/// Reads a request whose first line is complete. What different servers read differently is not readable. `before` is the length of
/// the empty lines before it.
pub fn read(request: &[u8], before: usize) -> Hello {
    let Some(end) = end_of_head(request) else { return Hello::Incomplete };
    let head = request.get(..end).unwrap_or_default();
    match Fields::read(head) {
        Some(fields) => fields.request(before + end).map_or(Hello::Unreadable, Hello::Request),
        None => Hello::Unreadable,
    }
}

/// A line may end without a carriage return.
fn end_of_head(bytes: &[u8]) -> Option<usize> {
    let after = |mark: &[u8]| bytes.windows(mark.len()).position(|window| window == mark).map(|at| at + mark.len());
    [after(b"\n\r\n"), after(b"\n\n")].into_iter().flatten().min()
}

/// What of a head matters.
#[derive(Default)]
struct Fields<'a> {
    method: &'a [u8],
    target: &'a [u8],
    is_old: bool,
    host: Option<&'a [u8]>,
    length: Option<&'a [u8]>,
    encoding: Option<&'a [u8]>,
    has_upgrade: bool,
}

impl<'a> Fields<'a> {
    fn read(head: &'a [u8]) -> Option<Self> {
        let mut lines = head.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        let mut fields = Self::first(lines.next()?)?;
        for line in lines.filter(|line| !line.is_empty()) {
            fields.add(line)?;
        }
        Some(fields)
    }

    /// `METHOD TARGET VERSION`
    fn first(line: &'a [u8]) -> Option<Self> {
        let mut words = line.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
        let (method, target) = (words.next()?, words.next()?);
        let version = words.next_back()?;
        let is_old = version.eq_ignore_ascii_case(b"HTTP/1.0");
        let is_plain = line.iter().all(|byte| *byte >= b' ');
        (is_plain && (is_old || version.eq_ignore_ascii_case(b"HTTP/1.1"))).then_some(Self {
            method,
            target,
            is_old,
            ..Self::default()
        })
    }

    /// `None` for a line that continues the one before, a name with spaces, or a field that may be there only once.
    fn add(&mut self, line: &'a [u8]) -> Option<()> {
        let (name, value) = split(line)?;
        let is_plain = value.iter().all(|byte| *byte >= b' ' || *byte == b'\t');
        if !is_plain || name.is_empty() || name.iter().any(|byte| *byte <= b' ') {
            return None;
        }
        let place = match name.to_ascii_lowercase().as_slice() {
            b"host" => &mut self.host,
            b"content-length" => &mut self.length,
            b"transfer-encoding" => &mut self.encoding,
            b"upgrade" => {
                self.has_upgrade = true;
                return Some(());
            }
            _ => return Some(()),
        };
        place.replace(value.trim_ascii()).is_none().then_some(())
    }

    /// `None` if it has two hosts, or no certain end.
    fn request(&self, length: usize) -> Option<Request> {
        let host = match (authority_of(self.target), self.host) {
            (None, None) => None,
            // The target decides, RFC 9112, section 3.2.2; not every server follows that.
            (Some(target), Some(host)) if host_of(target) != host_of(host) => return None,
            (Some(host), _) | (None, Some(host)) => Some(host_of(host)?),
        };
        let may_switch = self.has_upgrade || self.method.eq_ignore_ascii_case(b"CONNECT");
        Some(Request { host, length, body: self.body()?, may_switch })
    }

    fn body(&self) -> Option<Body> {
        match (self.length, self.encoding) {
            (None, None) => Some(Body::Length(0)),
            (Some(length), None) => number(length).map(Body::Length),
            (None, Some(encoding)) => {
                (!self.is_old && encoding.eq_ignore_ascii_case(b"chunked")).then_some(Body::Chunks)
            }
            (Some(_), Some(_)) => None,
        }
    }
}

/// Digits alone: some servers take signs, too.
fn number(text: &[u8]) -> Option<u64> {
    let is_number = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(text).ok().filter(|_| is_number)?.parse().ok()
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
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']')?;
            host.parse::<Ipv6Addr>().ok()?;
            (host, port.strip_prefix(':').or_else(|| port.is_empty().then_some(port))?)
        }
        None => text.split_once(':').unwrap_or((text, "")),
    };
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    let is_host = !host.is_empty() && host.bytes().all(is_plain);
    (is_host && port.bytes().all(|byte| byte.is_ascii_digit())).then(|| normalized(host))
}

fn split(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let place = line.iter().position(|byte| *byte == b':')?;
    Some((line.get(..place)?, line.get(place + 1..)?))
}
