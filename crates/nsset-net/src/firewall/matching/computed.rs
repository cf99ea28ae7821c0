//! Selectors with parameters, which are not in the tables: `numgen`, `jhash`, `symhash`, `socket cgroupv2`, and options of TCP by
//! their number.

use std::fmt;

use super::{
    data_type::{self as types, DataType},
    source::{HASHED, Hashed, Header, Known, Numbers, Source},
    tables,
};
use crate::firewall::expression::load::{
    exthdr::TCP_OPTION,
    numgen::{INCREMENTAL, RANDOM},
};

/// `NFT_SOCKET_CGROUPV2`.
const CGROUP: u32 = 3;

/// Parses a selector with parameters.
pub(super) fn parse(text: &str) -> Option<Source> {
    let (kind, rest) = text.split_once(' ')?;
    match kind {
        "numgen" => numbers(rest),
        "symhash" => hash([None; HASHED], rest),
        "jhash" => {
            let (keys, rest) = rest.split_at_checked(rest.find(" mod ")? + 1)?;
            hash(hashed(keys.trim_end())?, rest)
        }
        "socket" => Some(Source::Socket(CGROUP, Some(rest.strip_prefix("cgroupv2 level ")?.parse().ok()?))),
        "osf" => fingerprint(rest),
        "tcp" => tcp_option(rest.strip_prefix("option ")?),
        _ => None,
    }
}

fn numbers(text: &str) -> Option<Source> {
    let (kind, rest) = text.split_once(' ')?;
    let kind = match kind {
        "inc" => INCREMENTAL,
        "random" => RANDOM,
        _ => return None,
    };
    let (modulus, seed, offset) = range(rest)?;
    seed.is_none().then_some(Source::Numbers(Numbers { kind, modulus, offset }))
}

fn hash(keys: [Option<&'static Known>; HASHED], text: &str) -> Option<Source> {
    let (modulus, seed, offset) = range(text)?;
    Some(Source::Hash(Hashed { keys, modulus, seed, offset }))
}

/// Parses the selectors of a hash.
fn hashed(text: &str) -> Option<[Option<&'static Known>; HASHED]> {
    let mut keys = [None; HASHED];
    for (number, part) in text.split(" . ").enumerate() {
        *keys.get_mut(number)? = Some(tables::known(part)?);
    }
    Some(keys)
}

/// Parses `mod 4 seed 5 offset 10`, of which the last two can be missing.
fn range(text: &str) -> Option<(u32, Option<u32>, u32)> {
    let mut words = text.split(' ');
    let (mut modulus, mut seed, mut offset) = (None, None, None);
    while let Some(name) = words.next() {
        let place = match name {
            "mod" => &mut modulus,
            "seed" => &mut seed,
            "offset" => &mut offset,
            _ => return None,
        };
        *place = Some(words.next()?.parse().ok()?);
    }
    Some((modulus?, seed, offset.unwrap_or(0)))
}

/// How times to live are compared: `NF_OSF_TTL_*` of linux/netfilter/nfnetlink_osf.h.
const TTLS: &[(&str, u8)] = &[("loose", 1), ("skip", 2)];

fn fingerprint(text: &str) -> Option<Source> {
    let (ttl, what) = text.strip_prefix("ttl ")?.split_once(' ')?;
    let (_, ttl) = TTLS.iter().find(|(name, _)| *name == ttl)?;
    match what {
        "name" => Some(Source::Fingerprint(*ttl, 0)),
        "version" => Some(Source::Fingerprint(*ttl, 1)),
        _ => None,
    }
}

/// Parses `255`, or `@255,8,8` with an offset and a length in bits.
fn tcp_option(text: &str) -> Option<Source> {
    let header = |kind, offset, length, is_presence| {
        Source::Header(Header { operation: TCP_OPTION, kind, offset, length, is_presence })
    };
    let Some(place) = text.strip_prefix('@') else { return Some(header(text.parse().ok()?, 0, 1, true)) };
    let mut parts = place.split(',');
    let kind = parts.next()?.parse().ok()?;
    let [offset, length] = [parts.next()?.parse::<u32>().ok()?, parts.next()?.parse::<u32>().ok()?];
    let is_whole = offset % 8 == 0 && matches!(length, 8 | 16 | 32) && parts.next().is_none();
    is_whole.then(|| header(kind, offset / 8, length / 8, false))
}

/// Returns the type of a selector with parameters; `None` if it is none.
pub(super) fn data(source: Source) -> Option<&'static DataType> {
    match source {
        Source::Numbers(_) | Source::Hash(_) => Some(&types::HOST_WORD),
        Source::Socket(CGROUP, Some(_)) => Some(&types::HOST_LONG),
        Source::Fingerprint(ttl, 0 | 1) if TTLS.iter().any(|(_, known)| *known == ttl) => Some(&types::FINGERPRINT),
        Source::Header(Header { operation: TCP_OPTION, is_presence: true, .. }) => Some(&types::BOOLEAN),
        Source::Header(Header { operation: TCP_OPTION, length: 1, .. }) => Some(&types::BYTE),
        Source::Header(Header { operation: TCP_OPTION, length: 2, .. }) => Some(&types::SHORT),
        Source::Header(Header { operation: TCP_OPTION, length: 4, .. }) => Some(&types::WORD),
        _ => None,
    }
}

/// Writes a selector with parameters as [`parse`] reads it.
pub(super) fn write(source: Source, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
    match source {
        Source::Numbers(Numbers { kind, modulus, offset }) => {
            let kind = if kind == RANDOM { "random" } else { "inc" };
            write!(formatter, "numgen {kind} mod {modulus}")?;
            write_offset(offset, formatter)
        }
        Source::Hash(Hashed { keys, modulus, seed, offset }) => {
            let names: Vec<_> = keys.iter().flatten().map(|known| known.name).collect();
            if names.is_empty() {
                write!(formatter, "symhash mod {modulus}")?;
            } else {
                write!(formatter, "jhash {} mod {modulus}", names.join(" . "))?;
            }
            if let Some(seed) = seed {
                write!(formatter, " seed {seed}")?;
            }
            write_offset(offset, formatter)
        }
        Source::Socket(_, Some(level)) => write!(formatter, "socket cgroupv2 level {level}"),
        Source::Fingerprint(ttl, flags) => {
            let ttl = TTLS.iter().find(|(_, known)| *known == ttl).map_or("?", |(name, _)| name);
            write!(formatter, "osf ttl {ttl} {}", if flags == 0 { "name" } else { "version" })
        }
        Source::Header(Header { kind, is_presence: true, .. }) => write!(formatter, "tcp option {kind}"),
        Source::Header(Header { kind, offset, length, .. }) => {
            write!(formatter, "tcp option @{kind},{},{}", 8 * offset, 8 * length)
        }
        _ => formatter.write_str("?"),
    }
}

fn write_offset(offset: u32, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
    if offset == 0 { Ok(()) } else { write!(formatter, " offset {offset}") }
}
