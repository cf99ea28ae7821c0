//! What a selector is compared with, as plain data, and as the bytes that the kernel gets.

use std::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, SeqAccess, Visitor},
};

use super::{
    data_type::{DataType, Format, Order},
    date, names,
};
use crate::error::Error;

/// A number, a name, an address, a range or a list of them, as JSON has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Operand {
    Number(u64),
    Text(String),
    List(Vec<Self>),
}

/// Reads an operand without keeping it in between, as an untagged enum would: sets have 100,000 of them.
pub(crate) struct OperandVisitor;

impl<'de> Visitor<'de> for OperandVisitor {
    type Value = Operand;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a number, a text or a list of them")
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Operand, E> {
        Ok(Operand::Number(number))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Operand, E> {
        Ok(Operand::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Operand, A::Error> {
        let mut list = Vec::with_capacity(parts.size_hint().unwrap_or(0));
        while let Some(part) = parts.next_element()? {
            list.push(part);
        }
        Ok(Operand::List(list))
    }
}

impl<'de> Deserialize<'de> for Operand {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OperandVisitor)
    }
}

/// For messages: `22`, `'lo'`, `['10.0.0.1', 22]`.
impl fmt::Display for Operand {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(formatter, "{number}"),
            Self::Text(text) => write!(formatter, "'{text}'"),
            Self::List(list) => {
                let parts: Vec<_> = list.iter().map(ToString::to_string).collect();
                write!(formatter, "[{}]", parts.join(", "))
            }
        }
    }
}

/// An operand as bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    One(Vec<u8>),
    /// The first bits of an address. The rest is zero.
    Prefix(Vec<u8>, u32),
    Range(Vec<u8>, Vec<u8>),
    /// The first bytes of a name.
    Start(Vec<u8>),
}

impl Operand {
    /// Returns the bytes of this for a type.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] also for a range that ends before it begins, except for a time of day: that goes over midnight.
    pub(crate) fn value(&self, data: &DataType) -> Result<Value, Error> {
        let wrong = || Error::InvalidArgument(format!("{self} is not a value of type {}", data.name));
        match self {
            Self::Number(number) if data.format == Format::Bit => {
                bit(*number, data.size).map(Value::One).ok_or_else(wrong)
            }
            Self::Number(number) => number_bytes(*number, data).map(Value::One).ok_or_else(wrong),
            Self::Text(text) => match text_value(text, data).ok_or_else(wrong)? {
                Value::Range(from, to) if from == to => Ok(Value::One(from)),
                Value::Range(from, to) if data.format != Format::Hour && is_reversed(&from, &to, data) => {
                    Err(Error::InvalidArgument(format!("'{text}' ends before it begins")))
                }
                value => Ok(value),
            },
            Self::List(list) if data.format == Format::Flags => {
                let mut sum = 0;
                for flag in list {
                    sum |= flag.number(data).ok_or_else(wrong)?;
                }
                number_bytes(sum, data).map(Value::One).ok_or_else(wrong)
            }
            Self::List(_) => Err(wrong()),
        }
    }

    fn number(&self, data: &DataType) -> Option<u64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => names::number(data.names, text),
            Self::List(_) => None,
        }
    }

    /// Returns the operand of bytes.
    pub(crate) fn of(bytes: &[u8], data: &DataType) -> Option<Self> {
        let text = match data.format {
            Format::Number => return number_of(bytes, data).map(|number| named(number, data)),
            Format::Flags => return flags_of(number_of(bytes, data)?, data),
            Format::Ipv4 => Ipv4Addr::from(<[u8; 4]>::try_from(bytes).ok()?).to_string(),
            Format::Ipv6 => Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?).to_string(),
            Format::Mac => mac_of(bytes),
            Format::LinkName | Format::Text => {
                let end = bytes.iter().position(|byte| *byte == 0)?;
                String::from_utf8(bytes.get(..end)?.to_vec()).ok()?
            }
            Format::Hour => hour_of(number_of(bytes, data)?),
            Format::Date => date::write(number_of(bytes, data)?),
            Format::Bit => return only_bit(bytes).map(Self::Number),
            Format::Octets => octets(bytes),
        };
        Some(Self::Text(text))
    }

    /// Returns the operand of a prefix.
    pub(crate) fn of_prefix(bytes: &[u8], bits: u32, data: &DataType) -> Option<Self> {
        match Self::of(bytes, data)? {
            Self::Text(text) => Some(Self::Text(format!("{text}/{bits}"))),
            _ => None,
        }
    }

    /// Returns the operand of a range.
    pub(crate) fn of_range(from: &[u8], to: &[u8], data: &DataType) -> Option<Self> {
        let text = |bytes| match Self::of_bound(bytes, data)? {
            Self::Text(text) => Some(text),
            Self::Number(number) => Some(number.to_string()),
            Self::List(_) => None,
        };
        // A date has dashes of its own.
        let between = if data.format == Format::Date { '/' } else { '-' };
        Some(Self::Text(format!("{}{between}{}", text(from)?, text(to)?)))
    }

    /// Bounds are numbers also where numbers have names.
    fn of_bound(bytes: &[u8], data: &DataType) -> Option<Self> {
        match data.format {
            Format::Number => number_of(bytes, data).map(Self::Number),
            _ => Self::of(bytes, data),
        }
    }
}

fn named(number: u64, data: &DataType) -> Operand {
    names::name(data.names, number).map_or(Operand::Number(number), |name| Operand::Text(name.to_owned()))
}

/// A single flag is a name, several are a list, and bits without names are a number.
fn flags_of(number: u64, data: &DataType) -> Option<Operand> {
    let flags: Vec<_> = data.names.iter().filter(|(_, bit)| number & bit != 0).collect();
    let sum = flags.iter().fold(0, |sum, (_, bit)| sum | bit);
    let mut names = flags.iter().map(|(name, _)| Operand::Text((*name).to_owned()));
    match flags.as_slice() {
        _ if sum != number => Some(Operand::Number(number)),
        [_] => names.next(),
        _ => Some(Operand::List(names.collect())),
    }
}

fn text_value(text: &str, data: &DataType) -> Option<Value> {
    if let Some(number) = names::number(data.names, text) {
        return number_bytes(number, data).map(Value::One);
    }
    if matches!(data.format, Format::LinkName | Format::Text) {
        return link_name(text, data);
    }
    if data.format == Format::Date {
        let point = |text| number_bytes(date::parse(text)?, data);
        return Some(match text.split_once('/') {
            Some((from, to)) => Value::Range(point(from)?, point(to)?),
            None => Value::One(point(text)?),
        });
    }
    if let Some((address, bits)) = text.split_once('/') {
        return prefix(address, bits.parse().ok()?, data);
    }
    if let Some((from, to)) = text.split_once('-') {
        return Some(Value::Range(single(from, data)?, single(to, data)?));
    }
    single(text, data).map(Value::One)
}

/// Whether the second end of a range is less than the first.
pub(crate) fn is_reversed(from: &[u8], to: &[u8], data: &DataType) -> bool {
    in_order(from.to_vec(), data.order) > in_order(to.to_vec(), data.order)
}

fn single(text: &str, data: &DataType) -> Option<Vec<u8>> {
    match data.format {
        Format::Number | Format::Flags => number_bytes(text.parse().ok()?, data),
        Format::Ipv4 => text.parse::<Ipv4Addr>().ok().map(|address| address.octets().to_vec()),
        Format::Ipv6 => text.parse::<Ipv6Addr>().ok().map(|address| address.octets().to_vec()),
        Format::Mac => text.split(':').map(|octet| u8::from_str_radix(octet, 16).ok()).collect(),
        Format::Hour => number_bytes(hour(text)?, data),
        Format::Octets => text.strip_prefix("0x").filter(|digits| digits.len() == 2 * data.size).and_then(octets_of),
        Format::LinkName | Format::Text | Format::Date | Format::Bit => None,
    }
}

/// Returns bytes of which one bit is set, in the order of the host.
fn bit(number: u64, size: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; size];
    *bytes.get_mut(usize::try_from(number / 8).ok()?)? = 1 << (number % 8);
    Some(bytes)
}

fn only_bit(bytes: &[u8]) -> Option<u64> {
    let at = bytes.iter().position(|byte| *byte != 0)?;
    let number = 8 * at as u64 + u64::from(bytes.get(at)?.trailing_zeros());
    bit(number, bytes.len()).is_some_and(|only| only == bytes).then_some(number)
}

fn octets(bytes: &[u8]) -> String {
    bytes.iter().fold("0x".to_owned(), |text, byte| text + &format!("{byte:02x}"))
}

fn octets_of(digits: &str) -> Option<Vec<u8>> {
    digits.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

fn prefix(address: &str, bits: u32, data: &DataType) -> Option<Value> {
    let mut bytes = single(address, data)?;
    for (byte, mask) in bytes.iter_mut().zip(mask(bits, data.size)) {
        *byte &= mask;
    }
    Some(if bits as usize == 8 * data.size { Value::One(bytes) } else { Value::Prefix(bytes, bits) })
}

/// Returns bytes of which the first bits are set.
pub(crate) fn mask(bits: u32, size: usize) -> impl Iterator<Item = u8> {
    (0..size as u32)
        .map(move |byte| !u8::try_from(0xff_u32 >> bits.saturating_sub(8 * byte).min(8)).unwrap_or_default())
}

fn link_name(text: &str, data: &DataType) -> Option<Value> {
    if let Some(start) = text.strip_suffix('*') {
        return Some(Value::Start(start.as_bytes().to_vec()));
    }
    let mut bytes = text.as_bytes().to_vec();
    bytes.resize(data.size, 0);
    (text.len() < data.size).then_some(Value::One(bytes))
}

/// Parses a time of day, in seconds.
fn hour(text: &str) -> Option<u64> {
    let mut parts = text.split(':').map(|part| part.parse::<u64>().ok());
    let (hours, minutes) = (parts.next()??, parts.next()??);
    Some(3600 * hours + 60 * minutes + parts.next().unwrap_or(Some(0))?)
}

fn hour_of(seconds: u64) -> String {
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if seconds == 0 { format!("{hours:02}:{minutes:02}") } else { format!("{hours:02}:{minutes:02}:{seconds:02}") }
}

fn mac_of(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":")
}

/// Returns a number in the order and size of a type.
pub(crate) fn number_bytes(number: u64, data: &DataType) -> Option<Vec<u8>> {
    let bytes = number.to_be_bytes();
    let (zero, bytes) = bytes.split_at_checked(8_usize.checked_sub(data.size)?)?;
    if zero.iter().any(|byte| *byte != 0) {
        return None;
    }
    Some(in_order(bytes.to_vec(), data.order))
}

/// Converts between the order of the network and another one, in either direction.
pub(crate) fn in_order(mut bytes: Vec<u8>, order: Order) -> Vec<u8> {
    if order == Order::Host && cfg!(target_endian = "little") {
        bytes.reverse();
    }
    bytes
}

fn number_of(bytes: &[u8], data: &DataType) -> Option<u64> {
    let is_short = bytes.len() == 1 && data.name == "boolean";
    if (bytes.len() != data.size && !is_short) || data.size > 8 {
        return None;
    }
    let bytes = in_order(bytes.to_vec(), data.order);
    Some(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}
