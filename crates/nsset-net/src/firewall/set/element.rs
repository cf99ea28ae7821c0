//! Elements of sets and maps, as the kernel gets them.

use crate::{
    error::{Error, Result},
    firewall::{
        expression::{Expression, data::Data, field::Field, list},
        matching::{
            data_type::{DataType, Order},
            operand::{Operand, Value, in_order, is_reversed, mask},
        },
    },
    netlink::nfnetlink::writer::Writer,
};

/// `NFTA_SET_ELEM_*`.
pub(crate) const KEY: u16 = 1;
pub(crate) const DATA: u16 = 2;
pub(crate) const FLAGS: u16 = 3;
pub(crate) const TIMEOUT: u16 = 4;
pub(crate) const EXPIRATION: u16 = 5;
pub(crate) const USERDATA: u16 = 6;
pub(crate) const EXPRESSION: u16 = 7;
pub(crate) const OBJECT: u16 = 9;
pub(crate) const KEY_END: u16 = 10;
pub(crate) const EXPRESSIONS: u16 = 11;

/// `NFT_SET_ELEM_INTERVAL_END`.
pub(crate) const INTERVAL_END: u32 = 1;
/// `NFT_SET_ELEM_CATCHALL`.
pub(crate) const CATCH_ALL: u32 = 2;

/// The key of the element for all keys that have none.
pub(crate) const ANY: &str = "*";

/// An element: a key or an interval of keys, both ends included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Element {
    /// Empty for the element for all keys that have none.
    pub key: Vec<u8>,
    pub last: Option<Vec<u8>>,
    pub data: Option<Data>,
    /// The name of an object of the table.
    pub object: Option<String>,
    /// Limits, quotas and counters of its own.
    pub own: Vec<Expression>,
    /// In milliseconds.
    pub timeout: Option<u64>,
    pub expires: Option<u64>,
    pub comment: Option<String>,
}

impl Element {
    /// Returns the element of an operand. Bounds of intervals are in the order of the network.
    pub fn of(operand: &Operand, key: &[&DataType], has_intervals: bool) -> Result<Self> {
        if matches!(operand, Operand::Text(text) if text == ANY) {
            return Ok(Self::default());
        }
        if let [one] = key {
            let (key, last) = bounds(operand, one, has_intervals)?;
            return Ok(Self { key, last, ..Self::default() });
        }
        let Operand::List(parts) = operand else {
            return Err(Error::InvalidArgument(format!("{operand} is not a list of {} values", key.len())));
        };
        if parts.len() != key.len() {
            return Err(Error::InvalidArgument(format!("{operand} is not a list of {} values", key.len())));
        }
        let (mut all, mut lasts, mut is_interval) = (Vec::new(), Vec::new(), false);
        for (part, data) in parts.iter().zip(key) {
            let (bytes, last) = bounds(part, data, has_intervals)?;
            is_interval |= last.is_some();
            lasts.extend_from_slice(last.as_ref().unwrap_or(&bytes));
            all.extend(bytes);
            for bytes in [&mut all, &mut lasts] {
                bytes.resize(bytes.len().next_multiple_of(4), 0);
            }
        }
        Ok(Self { key: all, last: is_interval.then_some(lasts), ..Self::default() })
    }

    pub fn last(&self) -> &[u8] {
        self.last.as_deref().unwrap_or(&self.key)
    }

    fn write(&self, writer: &mut Writer, flags: u32, end: Option<&Vec<u8>>) {
        writer.nest(1, |writer| {
            let is_any = self.key.is_empty();
            if !is_any {
                self.key.write(KEY, writer);
            }
            if flags != 0 || is_any {
                writer.put_u32(FLAGS, flags + u32::from(is_any) * CATCH_ALL);
            }
            end.filter(|_| !is_any).cloned().write(KEY_END, writer);
            self.data.write(DATA, writer);
            if let Some(object) = &self.object {
                writer.put_text(OBJECT, object);
            }
            let (one, several) = list::nested(&self.own);
            one.write(EXPRESSION, writer);
            several.write(EXPRESSIONS, writer);
            self.timeout.write(TIMEOUT, writer);
            self.expires.write(EXPIRATION, writer);
            if let Some(comment) = &self.comment {
                writer.put(USERDATA, &crate::firewall::user_data::of_text(0, comment));
            }
        });
    }
}

/// Returns the first and the last key of an operand. The last is absent if there is only one.
fn bounds(operand: &Operand, data: &DataType, has_intervals: bool) -> Result<(Vec<u8>, Option<Vec<u8>>)> {
    let ordered = |bytes: Vec<u8>| if has_intervals && is_number(data) { in_order(bytes, data.order) } else { bytes };
    let value = operand.value(data)?;
    if !has_intervals && !matches!(value, Value::One(_)) {
        let text = format!("{operand} is several values of type {}: the set needs the flag 'interval'", data.name);
        return Err(Error::InvalidArgument(text));
    }
    Ok(match value {
        Value::One(bytes) => (ordered(bytes), None),
        Value::Range(from, to) if is_reversed(&from, &to, data) => {
            return Err(Error::InvalidArgument(format!("{operand} ends before it begins")));
        }
        Value::Range(from, to) => (in_order(from, data.order), Some(in_order(to, data.order))),
        Value::Prefix(bytes, bits) => {
            let last = bytes.iter().zip(mask(bits, data.size)).map(|(byte, mask)| byte | !mask).collect();
            (bytes, Some(last))
        }
        Value::Start(start) => {
            let [mut first, mut last] = [start.clone(), start];
            first.resize(data.size, 0);
            last.resize(data.size, 0xff);
            (first, Some(last))
        }
    })
}

/// Whether the bytes of a type are a number, which may have the order of the host.
pub(crate) fn is_number(data: &DataType) -> bool {
    data.order == Order::Host && data.size <= 8
}

/// How the kernel stores the keys of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Storage {
    /// Each key by itself.
    Keys,
    /// Each start, and each first key after an end.
    Bounds,
    /// Each key with the last one of its interval, for concatenations.
    Concatenations,
}

/// An attribute of elements has to stay below 16 bits.
const MOST_BYTES: usize = 48 * 1024;

/// Writes elements. Returns how many of them had room.
pub(crate) fn write_some(elements: &[Element], storage: Storage, is_first: bool, writer: &mut Writer) -> usize {
    let start = writer.len();
    if is_first && storage == Storage::Bounds {
        write_zero(elements.iter().find(|element| !element.key.is_empty()), writer);
    }
    for (number, element) in elements.iter().enumerate() {
        if writer.len() - start > MOST_BYTES {
            return number;
        }
        match storage {
            Storage::Keys => element.write(writer, 0, None),
            Storage::Concatenations => element.write(writer, 0, Some(element.last.as_ref().unwrap_or(&element.key))),
            Storage::Bounds => {
                element.write(writer, 0, None);
                // The end of the one that follows directly is its start.
                if let Some(after) = next(element.last()).filter(|_| !element.key.is_empty()) {
                    Element { key: after, ..Element::default() }.write(writer, INTERVAL_END, None);
                }
            }
        }
    }
    elements.len()
}

/// The first element of a set of intervals says that nothing before the second is in it, as nft(8) writes it.
fn write_zero(first: Option<&Element>, writer: &mut Writer) {
    let zero = first.map(|first| vec![0; first.key.len()]);
    if let (Some(zero), Some(first)) = (zero, first)
        && zero != first.key
    {
        Element { key: zero, ..Element::default() }.write(writer, INTERVAL_END, None);
    }
}

/// Returns the key before this one, which is not the first.
pub(crate) fn previous(key: &[u8]) -> Vec<u8> {
    let mut key = key.to_vec();
    for byte in key.iter_mut().rev() {
        let (difference, is_below) = byte.overflowing_sub(1);
        *byte = difference;
        if !is_below {
            break;
        }
    }
    key
}

/// Returns the key after this one.
pub(crate) fn next(key: &[u8]) -> Option<Vec<u8>> {
    let mut key = key.to_vec();
    for byte in key.iter_mut().rev() {
        let (sum, is_over) = byte.overflowing_add(1);
        *byte = sum;
        if !is_over {
            return Some(key);
        }
    }
    None
}
