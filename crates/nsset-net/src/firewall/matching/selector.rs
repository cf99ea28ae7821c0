//! Selectors: what a match compares, such as `tcp dport`. The names are those of nft(8).

use std::{fmt, str::FromStr};

use super::{
    context::Requirement,
    data_type::{self as types, DataType},
    source::{Bits, Source},
};
use crate::{
    error::Error,
    firewall::expression::load::payload::{LINK, NETWORK, TRANSPORT},
};

/// A selector of the table.
#[derive(Debug)]
pub(crate) struct Known {
    pub name: &'static str,
    pub source: Source,
    pub data: &'static DataType,
    pub bits: Option<Bits>,
    pub requires: &'static [Requirement],
}

/// A selector.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Selector {
    Known(&'static Known),
    /// Bytes at an offset, `@nh,96,32`.
    Raw(u32, u32, u32),
    /// A question to the routing table, `fib saddr . iif oif`.
    Fib(u32, u32),
}

impl PartialEq for Selector {
    fn eq(&self, other: &Self) -> bool {
        self.source() == other.source() && self.bits() == other.bits() && self.requires() == other.requires()
    }
}

use Requirement::{Arp, Ether, Ipv4, Ipv6, Protocol};

const NOTHING: &[Requirement] = &[];

macro_rules! payload {
    ($base:ident, $requires:expr, $($name:literal $offset:literal $data:ident),* $(,)?) => {
        &[$(Known {
            name: $name,
            source: Source::Payload($base, $offset, types::$data.size as u32),
            data: &types::$data,
            bits: None,
            requires: $requires,
        }),*]
    };
}

macro_rules! keys {
    ($source:expr, $($name:literal $key:literal $data:ident),* $(,)?) => {
        &[$(Known { name: $name, source: $source($key), data: &types::$data, bits: None, requires: NOTHING }),*]
    };
}

const fn ct(key: u32) -> Source {
    Source::Ct(key, None)
}

const fn original(key: u32) -> Source {
    Source::Ct(key, Some(0))
}

const fn reply(key: u32) -> Source {
    Source::Ct(key, Some(1))
}

static TABLES: &[&[Known]] = &[
    payload!(LINK, &[Ether], "ether daddr" 0 MAC, "ether saddr" 6 MAC, "ether type" 12 ETHER_TYPE),
    payload!(NETWORK, &[Ipv4], "ip length" 2 SHORT, "ip id" 4 SHORT, "ip frag-off" 6 SHORT, "ip ttl" 8 BYTE,
        "ip protocol" 9 PROTOCOL, "ip saddr" 12 IPV4, "ip daddr" 16 IPV4),
    &[Known {
        name: "ip dscp",
        source: Source::Payload(NETWORK, 1, 1),
        data: &types::DSCP,
        bits: Some(Bits { mask: 0xfc, shift: 2 }),
        requires: &[Ipv4],
    }],
    payload!(NETWORK, &[Ipv6], "ip6 length" 4 SHORT, "ip6 nexthdr" 6 PROTOCOL, "ip6 hoplimit" 7 BYTE,
        "ip6 saddr" 8 IPV6, "ip6 daddr" 24 IPV6),
    payload!(NETWORK, &[Arp], "arp htype" 0 SHORT, "arp ptype" 2 ETHER_TYPE, "arp operation" 6 ARP_OPERATION,
        "arp saddr ether" 8 MAC, "arp saddr ip" 14 IPV4, "arp daddr ether" 18 MAC, "arp daddr ip" 24 IPV4),
    payload!(TRANSPORT, &[Protocol(6)], "tcp sport" 0 PORT, "tcp dport" 2 PORT, "tcp sequence" 4 WORD, "tcp ackseq" 8 WORD,
        "tcp flags" 13 TCP_FLAGS, "tcp window" 14 SHORT, "tcp urgptr" 18 SHORT),
    payload!(TRANSPORT, &[Protocol(17)], "udp sport" 0 PORT, "udp dport" 2 PORT, "udp length" 4 SHORT),
    payload!(TRANSPORT, &[Protocol(132)], "sctp sport" 0 PORT, "sctp dport" 2 PORT, "sctp vtag" 4 WORD),
    payload!(TRANSPORT, &[Protocol(33)], "dccp sport" 0 PORT, "dccp dport" 2 PORT),
    payload!(TRANSPORT, &[Protocol(136)], "udplite sport" 0 PORT, "udplite dport" 2 PORT),
    payload!(TRANSPORT, &[Ipv4, Protocol(1)], "icmp type" 0 ICMP_TYPE, "icmp code" 1 BYTE),
    payload!(TRANSPORT, &[Ipv6, Protocol(58)], "icmpv6 type" 0 ICMPV6_TYPE, "icmpv6 code" 1 BYTE),
    payload!(TRANSPORT, &[Protocol(50)], "esp spi" 0 WORD, "esp sequence" 4 WORD),
    payload!(TRANSPORT, &[Protocol(51)], "ah spi" 4 WORD),
    payload!(TRANSPORT, NOTHING, "th sport" 0 PORT, "th dport" 2 PORT),
    keys!(Source::Meta, "meta length" 0 HOST_WORD, "meta protocol" 1 ETHER_TYPE, "meta priority" 2 HOST_WORD,
        "meta mark" 3 MARK, "iif" 4 LINK_INDEX, "oif" 5 LINK_INDEX, "iifname" 6 LINK_NAME, "oifname" 7 LINK_NAME,
        "iiftype" 8 HARDWARE, "oiftype" 9 HARDWARE, "meta skuid" 10 UID, "meta skgid" 11 GID, "meta nftrace" 12 BYTE,
        "meta rtclassid" 13 REALM, "meta nfproto" 15 NFPROTO, "meta l4proto" 16 PROTOCOL, "meta ibrname" 17 LINK_NAME,
        "meta obrname" 18 LINK_NAME, "meta pkttype" 19 PACKET_TYPE, "meta cpu" 20 HOST_WORD, "iifgroup" 21 LINK_GROUP,
        "oifgroup" 22 LINK_GROUP, "meta cgroup" 23 HOST_WORD, "meta random" 24 HOST_WORD, "meta ipsec" 25 IPSEC,
        "meta iifkind" 26 LINK_KIND, "meta oifkind" 27 LINK_KIND, "meta day" 31 DAY, "meta hour" 32 HOUR),
    keys!(ct, "ct state" 0 CT_STATE, "ct direction" 1 CT_DIRECTION, "ct status" 2 CT_STATUS, "ct mark" 3 MARK,
        "ct expiration" 5 EXPIRATION, "ct l3proto" 7 NFPROTO, "ct protocol" 10 PROTOCOL, "ct packets" 14 HOST_LONG,
        "ct bytes" 15 HOST_LONG, "ct zone" 17 HOST_SHORT, "ct id" 23 WORD),
    keys!(original, "ct original protocol" 10 PROTOCOL, "ct original proto-src" 11 PORT,
        "ct original proto-dst" 12 PORT, "ct original packets" 14 HOST_LONG, "ct original bytes" 15 HOST_LONG,
        "ct original zone" 17 HOST_SHORT, "ct original ip saddr" 19 IPV4, "ct original ip daddr" 20 IPV4,
        "ct original ip6 saddr" 21 IPV6, "ct original ip6 daddr" 22 IPV6),
    keys!(reply, "ct reply protocol" 10 PROTOCOL, "ct reply proto-src" 11 PORT, "ct reply proto-dst" 12 PORT,
        "ct reply packets" 14 HOST_LONG, "ct reply bytes" 15 HOST_LONG, "ct reply zone" 17 HOST_SHORT,
        "ct reply ip saddr" 19 IPV4, "ct reply ip daddr" 20 IPV4, "ct reply ip6 saddr" 21 IPV6,
        "ct reply ip6 daddr" 22 IPV6),
];

/// `NFTA_FIB_F_*` of linux/netfilter/nf_tables.h.
const FIB_FLAGS: &[(&str, u32)] = &[("saddr", 1), ("daddr", 2), ("mark", 4), ("iif", 8), ("oif", 16)];

/// `NFTA_FIB_F_PRESENT`, which makes `oif` a question of yes or no.
const FIB_PRESENT: u32 = 32;

const FIB_OIF: u32 = 1;

/// `NFT_FIB_RESULT_*`.
const FIB_RESULTS: &[(&str, u32)] = &[("oif", FIB_OIF), ("oifname", 2), ("type", 3)];

const BASES: &[(&str, u32)] = &[("ll", LINK), ("nh", NETWORK), ("th", TRANSPORT), ("ih", 3)];

impl Selector {
    /// Returns the selector of this value, if the packet fulfils what `is_known` says.
    pub fn of(source: Source, bits: Option<Bits>, is_known: impl Fn(&[Requirement]) -> bool) -> Option<Self> {
        let mut known = TABLES.iter().copied().flatten().filter(|known| known.source == source && known.bits == bits);
        if let Some(known) = known.find(|known| is_known(known.requires)) {
            return Some(Self::Known(known));
        }
        match source {
            // A comparison with the index of a link has no name here.
            Source::Fib(FIB_OIF, flags) if flags & FIB_PRESENT == 0 => None,
            Source::Fib(result, flags) => Some(Self::Fib(result, flags)),
            Source::Payload(base, offset, length) if bits.is_none() => Some(Self::Raw(base, offset, length)),
            _ => None,
        }
    }

    pub fn source(&self) -> Source {
        match self {
            Self::Known(known) => known.source,
            Self::Raw(base, offset, length) => Source::Payload(*base, *offset, *length),
            Self::Fib(result, flags) => Source::Fib(*result, *flags),
        }
    }

    pub fn data(&self) -> &'static DataType {
        match self {
            Self::Known(known) => known.data,
            Self::Raw(_, _, 1) => &types::BYTE,
            Self::Raw(_, _, 2) => &types::SHORT,
            Self::Raw(_, _, 4) => &types::WORD,
            Self::Raw(..) => &types::LONG,
            Self::Fib(FIB_OIF, _) => &types::PRESENCE,
            Self::Fib(2, _) => &types::LINK_NAME,
            Self::Fib(..) => &types::FIB_TYPE,
        }
    }

    pub fn bits(&self) -> Option<Bits> {
        match self {
            Self::Known(known) => known.bits,
            _ => None,
        }
    }

    pub fn requires(&self) -> &'static [Requirement] {
        match self {
            Self::Known(known) => known.requires,
            _ => NOTHING,
        }
    }
}

impl FromStr for Selector {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if let Some(known) = TABLES.iter().copied().flatten().find(|known| known.name == text) {
            return Ok(Self::Known(known));
        }
        let special = if let Some(place) = text.strip_prefix('@') { raw(place) } else { fib(text) };
        special.ok_or_else(|| Error::InvalidArgument(format!("'{text}' is not a selector")))
    }
}

/// Parses `nh,96,32`, in bits.
fn raw(text: &str) -> Option<Selector> {
    let mut parts = text.split(',');
    let base = find(BASES, parts.next()?)?;
    let [offset, length] = [parts.next()?.parse::<u32>().ok()?, parts.next()?.parse::<u32>().ok()?];
    let is_whole = offset % 8 == 0 && matches!(length, 8 | 16 | 32 | 64) && parts.next().is_none();
    is_whole.then_some(Selector::Raw(base, offset / 8, length / 8))
}

/// Parses `fib saddr . iif oif`.
fn fib(text: &str) -> Option<Selector> {
    let (flags, result) = text.strip_prefix("fib ")?.rsplit_once(' ')?;
    let flags = flags.split(" . ").map(|flag| find(FIB_FLAGS, flag)).try_fold(0, |all, flag| Some(all | flag?))?;
    let result = find(FIB_RESULTS, result)?;
    Some(Selector::Fib(result, if result == FIB_OIF { flags | FIB_PRESENT } else { flags }))
}

fn find(table: &[(&str, u32)], name: &str) -> Option<u32> {
    table.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
}

impl fmt::Display for Selector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(known) => formatter.write_str(known.name),
            Self::Raw(base, offset, length) => {
                let base = BASES.iter().find(|(_, number)| number == base).map_or("?", |(name, _)| name);
                write!(formatter, "@{base},{},{}", 8 * offset, 8 * length)
            }
            Self::Fib(result, flags) => {
                let names: Vec<_> =
                    FIB_FLAGS.iter().filter(|(_, bit)| flags & bit != 0).map(|(name, _)| *name).collect();
                let result = FIB_RESULTS.iter().find(|(_, number)| number == result).map_or("?", |(name, _)| name);
                write!(formatter, "fib {} {result}", names.join(" . "))
            }
        }
    }
}
