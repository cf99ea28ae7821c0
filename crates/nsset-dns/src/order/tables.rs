//! The labels, precedences and scopes of prefixes in RFC 3484 and RFC 6724, with glibc's default values: gai.conf(5).

use std::net::{IpAddr, Ipv6Addr};

type Table = [(Ipv6Addr, u32, u8); 8];

const MAPPED: Ipv6Addr = Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0);

const fn prefix(first: u16) -> Ipv6Addr {
    Ipv6Addr::new(first, 0, 0, 0, 0, 0, 0, 0)
}

const LABELS: Table = [
    (Ipv6Addr::LOCALHOST, 128, 0),
    (prefix(0x2002), 16, 2),
    (Ipv6Addr::UNSPECIFIED, 96, 3),
    (MAPPED, 96, 4),
    (prefix(0xfec0), 10, 5),
    (prefix(0xfc00), 7, 6),
    (prefix(0x2001), 32, 7),
    (Ipv6Addr::UNSPECIFIED, 0, 1),
];

pub fn label(address: IpAddr) -> u8 {
    let address = as_ipv6(address);
    let entry = LABELS.iter().find(|(prefix, length, _)| is_below(address, *prefix, *length));
    entry.map_or(1, |(.., label)| *label)
}

pub fn precedence(address: IpAddr) -> u8 {
    let address = as_ipv6(address);
    match address {
        Ipv6Addr::LOCALHOST => 50,
        _ if is_below(address, MAPPED, 96) => 10,
        _ if is_below(address, Ipv6Addr::UNSPECIFIED, 96) => 20,
        _ if is_below(address, prefix(0x2002), 16) => 30,
        _ => 40,
    }
}

/// Returns the scope of an address. A smaller scope is nearer.
pub fn scope(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(address) if address.is_loopback() || address.is_link_local() => 2,
        IpAddr::V6(address) if address.is_multicast() => address.octets()[1] & 0xf,
        IpAddr::V6(address) if address.is_loopback() || address.is_unicast_link_local() => 2,
        IpAddr::V6(address) if is_below(address, prefix(0xfec0), 10) => 5,
        IpAddr::V4(_) | IpAddr::V6(_) => 14,
    }
}

fn as_ipv6(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    }
}

fn is_below(address: Ipv6Addr, prefix: Ipv6Addr, length: u32) -> bool {
    (address.to_bits() ^ prefix.to_bits()).leading_zeros() >= length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_is_of_its_kind() {
        for (text, expected) in [
            ("::1", (0, 50, 2)),
            ("2001:db8::1", (1, 40, 14)),
            ("2002::1", (2, 30, 14)),
            ("::5", (3, 20, 14)),
            ("10.0.0.1", (4, 10, 14)),
            ("127.0.0.1", (4, 10, 2)),
            ("169.254.1.1", (4, 10, 2)),
            ("::ffff:127.0.0.1", (4, 10, 14)),
            ("fec0::1", (5, 40, 5)),
            ("fd00::1", (6, 40, 14)),
            ("2001::1", (7, 40, 14)),
            ("fe80::1", (1, 40, 2)),
            ("ff05::1", (1, 40, 5)),
        ] {
            let address: IpAddr = text.parse().unwrap();
            assert_eq!((label(address), precedence(address), scope(address)), expected, "{text}");
        }
    }
}
