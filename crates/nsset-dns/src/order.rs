//! Sorts addresses like getaddrinfo(3) of glibc: RFC 6724 (and RFC 3484) with the default tables of gai.conf(5). The rule about
//! native transports is not implemented.

mod own_address;
mod source;
mod tables;

use std::{cmp::Ordering, net::IpAddr};

pub use self::own_address::OwnAddress;
use self::{
    source::Sources,
    tables::{label, precedence, scope},
};
use crate::inside::Inside;

/// How many addresses are sorted. Each needs a system call, and an answer may have thousands. The others follow unsorted.
const MOST: usize = 512;

/// A destination address, and the source address for it.
#[derive(Clone, Copy, Debug)]
struct Destination {
    address: IpAddr,
    source: Option<OwnAddress>,
}

pub async fn sort(inside: &Inside, mut addresses: Vec<IpAddr>, own: &[OwnAddress]) -> Vec<IpAddr> {
    if addresses.len() < 2 {
        return addresses;
    }
    let rest = addresses.split_off(addresses.len().min(MOST));
    // If there is no IPv6 address, glibc has no prefix lengths.
    let own = if own.iter().any(|own| own.address.is_ipv6() && !own.address.is_loopback()) { own } else { &[] };
    let sources = Sources::open(inside, own).await;
    let destinations = addresses.into_iter().map(|address| Destination { address, source: sources.of(address) });
    let sorted = merge_sort(destinations.collect());
    sorted.into_iter().map(|destination| destination.address).chain(rest).collect()
}

/// Sorts the destinations. The sort functions of the standard library may panic if the order is not total, and that of rule 9 is
/// not always total.
fn merge_sort(mut all: Vec<Destination>) -> Vec<Destination> {
    if all.len() < 2 {
        return all;
    }
    let second = merge_sort(all.split_off(all.len() / 2));
    let first = merge_sort(all);
    let mut merged = Vec::with_capacity(first.len() + second.len());
    let (mut first, mut second) = (first.into_iter().peekable(), second.into_iter().peekable());
    while let (Some(one), Some(other)) = (first.peek(), second.peek()) {
        merged.extend(if compare(one, other) == Ordering::Greater { second.next() } else { first.next() });
    }
    merged.extend(first.chain(second));
    merged
}

/// Compares two destinations. The lesser one comes first.
fn compare(one: &Destination, other: &Destination) -> Ordering {
    let (Some(source), Some(others)) = (one.source, other.source) else {
        // Rule 1: an unreachable address comes last. If both are unreachable, there is no source for the other rules.
        return first_if(one.source.is_some(), other.source.is_some())
            .then_with(|| precedence(other.address).cmp(&precedence(one.address)))
            .then_with(|| scope(one.address).cmp(&scope(other.address)));
    };
    let has_scope = |to: &Destination, from: &OwnAddress| scope(to.address) == scope(from.address);
    let has_label = |to: &Destination, from: &OwnAddress| label(to.address) == label(from.address);
    // 2: the same scope. 3: no deprecated source. 5: the same label. 6: the higher precedence. 8: the smaller scope.
    first_if(has_scope(one, &source), has_scope(other, &others))
        .then_with(|| first_if(!source.deprecated, !others.deprecated))
        .then_with(|| first_if(has_label(one, &source), has_label(other, &others)))
        .then_with(|| precedence(other.address).cmp(&precedence(one.address)))
        .then_with(|| scope(one.address).cmp(&scope(other.address)))
        .then_with(|| by_prefix((one.address, &source), (other.address, &others)))
}

fn first_if(one: bool, other: bool) -> Ordering {
    other.cmp(&one)
}

/// Rule 9: the address with more bits in common with its source comes first.
fn by_prefix((one, source): (IpAddr, &OwnAddress), (other, others): (IpAddr, &OwnAddress)) -> Ordering {
    match (one, other, source.address, others.address) {
        (IpAddr::V4(one), IpAddr::V4(other), IpAddr::V4(_), IpAddr::V4(_)) => {
            common_in_network(other.to_bits(), others).cmp(&common_in_network(one.to_bits(), source))
        }
        (IpAddr::V6(one), IpAddr::V6(other), IpAddr::V6(from), IpAddr::V6(others)) => {
            let (one, other) = (one.to_bits() ^ from.to_bits(), other.to_bits() ^ others.to_bits());
            // glibc compares the first 32-bit word in which one of them differs.
            let word = (one | other).leading_zeros().min(127) / 32;
            let of_word = |bits: u128| ((bits << (32 * word)) >> 96).leading_zeros();
            of_word(other).cmp(&of_word(one))
        }
        _ => Ordering::Equal,
    }
}

/// Returns the number of common bits of an IPv4 address and its source, which count only within the source's network.
fn common_in_network(address: u32, source: &OwnAddress) -> u32 {
    let IpAddr::V4(from) = source.address else { return 0 };
    let differs = address ^ from.to_bits();
    let mask = match u32::from(source.prefix) {
        0 => u32::MAX,
        prefix => u32::MAX.checked_shl(32_u32.saturating_sub(prefix)).unwrap_or(u32::MAX),
    };
    if differs & mask == 0 { differs.leading_zeros() } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn destination(text: &str) -> Destination {
        let (address, source) = text.split_once(" from ").unwrap_or((text, ""));
        let (source, prefix) = source.split_once('/').unwrap_or((source, "0"));
        let (prefix, deprecated) = prefix.split_once(' ').map_or((prefix, false), |(prefix, _)| (prefix, true));
        let own = |address| OwnAddress { address, prefix: prefix.parse().unwrap(), deprecated };
        Destination { address: address.parse().unwrap(), source: source.parse().ok().map(own) }
    }

    /// Asserts that these are in order, and that sorting restores it.
    fn assert_order(texts: &[&str]) {
        let wanted: Vec<_> = texts.iter().map(|text| destination(text).address).collect();
        for rotation in 0..texts.len() {
            let mut all: Vec<_> = texts.iter().map(|text| destination(text)).collect();
            all.rotate_left(rotation);
            let sorted: Vec<_> = merge_sort(all).into_iter().map(|one| one.address).collect();
            assert_eq!(sorted, wanted, "{texts:?}");
        }
    }

    #[test]
    fn reachable_addresses_come_first() {
        assert_order(&["10.0.0.1 from 10.0.0.2/24", "2001:db8::1"]);
        assert_order(&["2001:db8::1", "10.0.0.1"]);
    }

    #[test]
    fn ipv6_comes_before_ipv4_where_both_are_as_near() {
        assert_order(&["::1 from ::1/128", "127.0.0.1 from 127.0.0.1/8"]);
        assert_order(&["fd00::2 from fd00::1/64", "10.0.0.2 from 10.0.0.1/24"]);
    }

    #[test]
    fn scopes_and_labels_that_match_come_first() {
        assert_order(&["10.0.0.2 from 10.0.0.1/24", "2001:db8::2 from fe80::1/64"]);
        assert_order(&["10.0.0.2 from 10.0.0.1/24", "2001:db8::2 from fd00::1/64"]);
        assert_order(&["2001:db8::2 from 2001:db8::1/64", "2002::2 from 2001:db8::1/64"]);
    }

    #[test]
    fn deprecated_sources_come_later() {
        assert_order(&["10.0.0.2 from 10.0.0.1/24", "fd00::2 from fd00::1/64 deprecated"]);
    }

    #[test]
    fn more_bits_in_common_come_first() {
        assert_order(&["10.0.0.3 from 10.0.0.2/24", "10.0.0.129 from 10.0.0.2/24", "10.9.0.1 from 10.0.0.2/24"]);
        assert_order(&["fd00::1:3 from fd00::1:2/64", "fd00::9:3 from fd00::1:2/64"]);
        assert_order(&["fd00:0:1::1 from fd00:0:1::2/48", "fd00:8::1 from fd00:0:1::2/48"]);
    }

    #[test]
    fn no_order_is_too_strange() {
        let mut state = 7_u32;
        let mut random = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            u128::from(state >> 16)
        };
        for _ in 0..200 {
            let mut one = || std::net::Ipv6Addr::from_bits((random() & 3) << 64 | (random() & 3) << 32 | random() & 7);
            let own =
                |address: std::net::Ipv6Addr| OwnAddress { address: address.into(), prefix: 64, deprecated: false };
            let all: Vec<_> =
                (0..100).map(|_| Destination { address: one().into(), source: Some(own(one())) }).collect();
            assert_eq!(merge_sort(all).len(), 100);
        }
    }
}
