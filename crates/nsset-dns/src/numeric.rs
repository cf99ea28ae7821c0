//! Names that are IP addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Parses a text that getaddrinfo(3) accepts as an address: all forms of inet_aton(3) (`127.1`, `0x7f.1`, `2130706433`,
/// `010.0.0.1`), and IPv6 without a zone.
pub fn address(text: &str) -> Option<IpAddr> {
    ipv4(text).map(IpAddr::V4).or_else(|| text.parse::<Ipv6Addr>().ok().map(IpAddr::V6))
}

/// Parses one to four numbers, the last of which has all remaining bytes. They are decimal, hexadecimal (`0x`) or octal (`0`).
pub fn ipv4(text: &str) -> Option<Ipv4Addr> {
    let mut parts: Vec<u32> = text.splitn(5, '.').map(number).collect::<Option<_>>()?;
    if parts.len() > 4 {
        return None;
    }
    let last = parts.pop()?;
    let bits = 32 - 8 * u32::try_from(parts.len()).ok()?;
    if parts.iter().any(|part| *part > 0xff) || u64::from(last) >= 1 << bits {
        return None;
    }
    let shifted = parts.iter().zip([24_u32, 16, 8]).map(|(part, shift)| part << shift);
    Some(Ipv4Addr::from_bits(shifted.fold(last, |address, part| address | part)))
}

fn number(text: &str) -> Option<u32> {
    if !text.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let hexadecimal = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let (digits, radix) = match (hexadecimal, text.strip_prefix('0')) {
        (Some(digits), _) => (digits, 16),
        (None, Some(digits)) if !digits.is_empty() => (digits, 8),
        _ => (text, 10),
    };
    // Rust's parser would accept a sign.
    let is_plain = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
    is_plain.then(|| u32::from_str_radix(digits, radix).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_inet_aton_is_an_address() {
        for (text, expected) in [
            ("127.0.0.1", "127.0.0.1"),
            ("127.1", "127.0.0.1"),
            ("127.0.1", "127.0.0.1"),
            ("10.65535", "10.0.255.255"),
            ("1.2.65535", "1.2.255.255"),
            ("0x7f.1", "127.0.0.1"),
            ("0X7F000001", "127.0.0.1"),
            ("2130706433", "127.0.0.1"),
            ("010.0.0.1", "8.0.0.1"),
            ("0", "0.0.0.0"),
            ("00.0.0.00", "0.0.0.0"),
            ("4294967295", "255.255.255.255"),
            ("::1", "::1"),
            ("FD00::1", "fd00::1"),
            ("::ffff:1.2.3.4", "::ffff:1.2.3.4"),
        ] {
            assert_eq!(address(text).map(|address| address.to_string()).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn anything_else_is_none() {
        for text in [
            "",
            ".",
            "1.",
            ".1",
            "1..2",
            "1.2.3.4.5",
            "1.2.3.4.",
            "256.1",
            "1.256.1",
            "1.2.256.1",
            "1.2.3.256",
            "08",
            "0x",
            "0xg",
            "4294967296",
            "1.16777216",
            "1.2.65536",
            "+1",
            "-1",
            " 1",
            "1 ",
            "1a",
            "1.2.3.4%eth0",
            "::1%lo",
            "[::1]",
            "1_000",
            "99999999999999999999",
        ] {
            assert_eq!(address(text), None, "{text}");
        }
    }
}
