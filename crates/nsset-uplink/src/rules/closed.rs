//! Addresses that are refused if no rule names them.

use std::{net::IpAddr, sync::LazyLock};

use ipnet::IpNet;

/// Why an address is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    Unspecified,
    Loopback,
    LinkLocal,
    Private,
    Multicast,
    /// An address that stands for an IPv4 address: mapped, or that of a translator or of a tunnel.
    Embedded,
    Reserved,
    /// An address of the machine itself.
    Own,
}

impl Closed {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::Loopback => "loopback",
            Self::LinkLocal => "link-local",
            Self::Private => "private",
            Self::Multicast => "multicast",
            Self::Embedded => "embedded",
            Self::Reserved => "reserved",
            Self::Own => "own",
        }
    }

    /// Whether no rule can open it: a connection there would mean something else than its address says.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Unspecified | Self::Loopback | Self::Multicast)
    }
}

/// The ranges of the registries of special addresses (RFC 6890) that do not lead to the internet.
const RANGES: [(&str, Closed); 36] = [
    ("0.0.0.0/8", Closed::Unspecified),
    ("10.0.0.0/8", Closed::Private),
    ("100.64.0.0/10", Closed::Private),
    ("127.0.0.0/8", Closed::Loopback),
    // The metadata of Azure, as if it were link-local.
    ("168.63.129.16/32", Closed::LinkLocal),
    ("169.254.0.0/16", Closed::LinkLocal),
    ("172.16.0.0/12", Closed::Private),
    ("192.0.0.0/24", Closed::Reserved),
    ("192.0.2.0/24", Closed::Reserved),
    ("192.88.99.0/24", Closed::Embedded),
    ("192.168.0.0/16", Closed::Private),
    ("198.18.0.0/15", Closed::Private),
    ("198.51.100.0/24", Closed::Reserved),
    ("203.0.113.0/24", Closed::Reserved),
    ("224.0.0.0/4", Closed::Multicast),
    ("240.0.0.0/4", Closed::Reserved),
    ("::/128", Closed::Unspecified),
    ("::1/128", Closed::Loopback),
    // IPv4-compatible, which no network uses.
    ("::/96", Closed::Embedded),
    ("::ffff:0:0/96", Closed::Embedded),
    ("::ffff:0:0:0/96", Closed::Embedded),
    ("64:ff9b::/96", Closed::Embedded),
    ("64:ff9b:1::/48", Closed::Embedded),
    ("100::/64", Closed::Reserved),
    ("100:0:0:1::/64", Closed::Reserved),
    ("2001::/32", Closed::Embedded),
    ("2001:2::/48", Closed::Private),
    // Identifiers of hosts, which are not routed.
    ("2001:10::/28", Closed::Reserved),
    ("2001:db8::/32", Closed::Reserved),
    ("2002::/16", Closed::Embedded),
    ("3fff::/20", Closed::Reserved),
    ("5f00::/16", Closed::Reserved),
    ("fc00::/7", Closed::Private),
    ("fe80::/10", Closed::LinkLocal),
    ("fec0::/10", Closed::Private),
    ("ff00::/8", Closed::Multicast),
];

/// The closed range that has an address.
pub fn closed(address: IpAddr) -> Option<(IpNet, Closed)> {
    static READ: LazyLock<Vec<(IpNet, Closed)>> = LazyLock::new(|| {
        RANGES.iter().filter_map(|(range, why)| range.parse().ok().map(|range| (range, *why))).collect()
    });
    READ.iter().find(|(range, _)| range.contains(&address)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_range_can_be_read() {
        for (range, _) in RANGES {
            assert!(range.parse::<IpNet>().is_ok(), "{range}");
        }
    }

    #[test]
    fn addresses_that_lead_inward_are_closed() {
        let cases = [
            ("0.0.0.0", Closed::Unspecified),
            ("127.0.0.1", Closed::Loopback),
            ("169.254.169.254", Closed::LinkLocal),
            ("168.63.129.16", Closed::LinkLocal),
            ("100.100.100.200", Closed::Private),
            ("192.0.0.192", Closed::Reserved),
            ("10.1.2.3", Closed::Private),
            ("192.168.0.1", Closed::Private),
            ("255.255.255.255", Closed::Reserved),
            ("239.1.1.1", Closed::Multicast),
            ("::1", Closed::Loopback),
            ("::", Closed::Unspecified),
            ("::ffff:127.0.0.1", Closed::Embedded),
            ("64:ff9b::7f00:1", Closed::Embedded),
            ("2002:7f00:1::", Closed::Embedded),
            ("fd00:ec2::254", Closed::Private),
            ("fe80::1", Closed::LinkLocal),
            ("ff02::1", Closed::Multicast),
            ("3fff::1", Closed::Reserved),
            ("2001:2::1", Closed::Private),
        ];
        for (address, why) in cases {
            assert_eq!(closed(address.parse().unwrap()).map(|(_, why)| why), Some(why), "{address}");
        }
        for address in ["1.1.1.1", "2606:4700::1111", "172.32.0.1", "100.128.0.1"] {
            assert_eq!(closed(address.parse().unwrap()), None, "{address}");
        }
    }
}
