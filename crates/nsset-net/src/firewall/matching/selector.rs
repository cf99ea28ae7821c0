//! Selectors: what a match compares, such as `tcp dport`. The names are those of nft(8).

use std::{fmt, str::FromStr};

use super::{
    computed,
    data_type::{self as types, DataType},
    operand::{Operand, Value},
    source::{Bits, Known, Requirement, Source},
    tables::{self, NOTHING, TABLES},
};
use crate::{
    error::Error,
    firewall::expression::load::payload::{LINK, NETWORK, TRANSPORT},
};

/// A selector.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Selector {
    Known(&'static Known),
    /// Bytes at an offset, `@nh,96,32`.
    Raw(u32, u32, u32),
    /// A question to the routing table, `fib saddr . iif oif`.
    Fib(u32, u32),
    /// One with parameters, `numgen inc mod 4`.
    Computed(Source),
    /// Some bits of an address or a number, `ip saddr & 255.255.255.0`.
    Masked(&'static Known, Mask),
}

/// The mask of a value, of which the first bytes count.
pub(crate) type Mask = [u8; 16];

impl PartialEq for Selector {
    fn eq(&self, other: &Self) -> bool {
        self.source() == other.source()
            && self.bits() == other.bits()
            && self.mask() == other.mask()
            && self.requires() == other.requires()
    }
}

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
            Source::Fib(result, flags) => Some(Self::Fib(result, flags)),
            Source::Payload(base, offset, length @ 1..=16) if bits.is_none() => Some(Self::Raw(base, offset, length)),
            other if bits.is_none() && computed::data(other).is_some() => Some(Self::Computed(other)),
            _ => None,
        }
    }

    /// Returns the selector of some bits of this one; `None` if there is no such thing here.
    pub fn masked(self, bits: &[u8]) -> Option<Self> {
        let Self::Known(known @ Known { bits: None, .. }) = self else { return None };
        let mut mask = Mask::default();
        mask.get_mut(..bits.len()).filter(|_| bits.len() == known.data.size)?.copy_from_slice(bits);
        Some(Self::Masked(known, mask))
    }

    pub fn source(&self) -> Source {
        match self {
            Self::Known(known) | Self::Masked(known, _) => known.source,
            Self::Computed(source) => *source,
            Self::Raw(base, offset, length) => Source::Payload(*base, *offset, *length),
            Self::Fib(result, flags) => Source::Fib(*result, *flags),
        }
    }

    pub fn data(&self) -> &'static DataType {
        match self {
            Self::Known(known) | Self::Masked(known, _) => known.data,
            Self::Computed(source) => computed::data(*source).unwrap_or(&types::HOST_WORD),
            Self::Raw(_, _, 1) => &types::BYTE,
            Self::Raw(_, _, 2) => &types::SHORT,
            Self::Raw(_, _, 4) => &types::WORD,
            Self::Raw(_, _, length) => types::OCTETS.get(*length as usize).unwrap_or(&types::WORD),
            Self::Fib(FIB_OIF, flags) if flags & FIB_PRESENT == 0 => &types::LINK_INDEX,
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

    /// Returns the selector that is compared with numbers: of the routing table, the index of the link instead of whether there is one.
    pub fn of_numbers(self) -> Self {
        match self {
            Self::Fib(FIB_OIF, flags) => Self::Fib(FIB_OIF, flags & !FIB_PRESENT),
            other => other,
        }
    }

    /// What is compared of the value, if it is not all.
    pub fn mask(&self) -> Option<&[u8]> {
        match self {
            Self::Masked(known, mask) => mask.get(..known.data.size),
            _ => None,
        }
    }

    pub fn requires(&self) -> &'static [Requirement] {
        match self {
            Self::Known(known) | Self::Masked(known, _) => known.requires,
            _ => NOTHING,
        }
    }
}

impl FromStr for Selector {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if let Some(known) = tables::known(text) {
            return Ok(Self::Known(known));
        }
        let special = match text.strip_prefix('@') {
            Some(place) => raw(place),
            None => fib(text).or_else(|| with_mask(text)).or_else(|| computed::parse(text).map(Self::Computed)),
        };
        special.ok_or_else(|| Error::InvalidArgument(format!("'{text}' is not a selector")))
    }
}

/// Parses `nh,96,32`, in bits.
fn raw(text: &str) -> Option<Selector> {
    let mut parts = text.split(',');
    let base = find(BASES, parts.next()?)?;
    let [offset, length] = [parts.next()?.parse::<u32>().ok()?, parts.next()?.parse::<u32>().ok()?];
    let is_whole = offset % 8 == 0 && length % 8 == 0 && (8..=128).contains(&length) && parts.next().is_none();
    is_whole.then_some(Selector::Raw(base, offset / 8, length / 8))
}

/// Parses `ip saddr & 255.255.255.0`.
fn with_mask(text: &str) -> Option<Selector> {
    let (selector, bits) = text.split_once(" & ")?;
    let selector: Selector = selector.parse().ok()?;
    let data = selector.data();
    let operand = bits.parse().map_or_else(|_| Operand::Text(bits.to_owned()), Operand::Number);
    let Ok(Value::One(bits)) = operand.value(data) else { return None };
    selector.masked(&bits)
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
            Self::Computed(source) => computed::write(*source, formatter),
            Self::Masked(known, mask) => {
                let mask = mask.get(..known.data.size).and_then(|mask| Operand::of(mask, known.data));
                match mask {
                    Some(Operand::Text(text)) => write!(formatter, "{} & {text}", known.name),
                    Some(Operand::Number(number)) => write!(formatter, "{} & {number}", known.name),
                    _ => formatter.write_str(known.name),
                }
            }
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
