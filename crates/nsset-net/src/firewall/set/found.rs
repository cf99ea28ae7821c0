//! A set as the kernel lists it.

use std::borrow::Cow;

use super::element::{ANY, CATCH_ALL, INTERVAL_END, is_number, next, previous};
use crate::firewall::{
    expression::{Expression, data::Data},
    matching::{
        data_type::{DataType, Format},
        operand::{Operand, in_order},
        source::Bits,
    },
};

/// A set, with its elements if they were listed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    pub is_anonymous: bool,
    pub has_intervals: bool,
    pub key_size: usize,
    /// The size of the values of a map.
    pub data_size: usize,
    pub data_type: Option<u32>,
    /// For a map to objects.
    pub object_kind: Option<u32>,
    pub elements: Vec<FoundElement>,
}

/// An element in the kernel's terms.
#[derive(Clone, Debug, Default)]
pub(crate) struct FoundElement {
    pub key: Vec<u8>,
    pub key_end: Option<Vec<u8>>,
    pub flags: u32,
    pub data: Option<Data>,
    pub object: Option<String>,
    pub own: Vec<Expression>,
    pub timeout: Option<u64>,
    pub expires: Option<u64>,
    pub comment: Option<String>,
}

impl Found {
    /// Returns the elements in the order of their keys, with the data of a map.
    pub fn elements(&self, key: &[&DataType]) -> Option<Vec<(Operand, Option<Data>)>> {
        // What the elements of an anonymous set have of their own has no name here.
        if self.elements.iter().any(|element| !element.own.is_empty()) {
            return None;
        }
        let intervals = self.intervals(key);
        intervals
            .into_iter()
            .map(|(element, last)| Some((self.operand(element, last.as_deref(), key)?, element.data.clone())))
            .collect()
    }

    /// Returns this with keys that were at the place of some bits.
    pub fn taken(&self, bits: Option<Bits>) -> Cow<'_, Self> {
        let Some(bits) = bits else { return Cow::Borrowed(self) };
        let mut set = self.clone();
        for element in &mut set.elements {
            if element.flags & INTERVAL_END == 0 {
                bits.take(&mut element.key);
                element.key_end.as_mut().into_iter().for_each(|end| bits.take(end));
                continue;
            }
            // The end is after the last key.
            let mut last = previous(&element.key);
            bits.take(&mut last);
            element.key = next(&last).unwrap_or(last);
        }
        Cow::Owned(set)
    }

    /// Returns the elements of a map to objects, with their names.
    pub fn objects(&self, key: &[&DataType]) -> Option<Vec<(Operand, Operand)>> {
        let intervals = self.intervals(key).into_iter();
        let pair = |(element, last): (&FoundElement, Option<Vec<u8>>)| {
            Some((self.operand(element, last.as_deref(), key)?, Operand::Text(element.object.clone()?)))
        };
        intervals.map(pair).collect()
    }

    /// Returns the operand of an interval.
    pub fn operand(&self, element: &FoundElement, last: Option<&[u8]>, key: &[&DataType]) -> Option<Operand> {
        if element.is_any() {
            return Some(Operand::Text(ANY.to_owned()));
        }
        if let [one] = key {
            return element_operand(&element.key, last, one, self.has_intervals);
        }
        let mut parts = Vec::new();
        let mut start = 0;
        for data in key {
            let end = start + data.size;
            let last = last.and_then(|last| last.get(start..end));
            parts.push(element_operand(element.key.get(start..end)?, last, data, self.has_intervals)?);
            start = end.next_multiple_of(4);
        }
        Some(Operand::List(parts))
    }

    /// Returns the elements in order, each with its last key if it is an interval.
    pub fn intervals(&self, key: &[&DataType]) -> Vec<(&FoundElement, Option<Vec<u8>>)> {
        let (any, mut sorted): (Vec<_>, Vec<_>) = self.elements.iter().partition(|element| element.is_any());
        let is_end = |element: &FoundElement| element.flags & INTERVAL_END != 0;
        // The end of one and the start of the next can have the same key.
        sorted.sort_by(|one, other| one.key.cmp(&other.key).then(is_end(other).cmp(&is_end(one))));
        if !self.has_intervals || key.len() != 1 {
            return sorted.into_iter().chain(any).map(|element| (element, element.key_end.clone())).collect();
        }
        let mut intervals = Vec::new();
        let mut rest = sorted.into_iter().peekable();
        while let Some(element) = rest.next() {
            if is_end(element) {
                continue;
            }
            let last = match rest.peek() {
                Some(next) => previous(&next.key),
                None => vec![0xff; element.key.len()],
            };
            intervals.push((element, Some(last)));
        }
        intervals.extend(any.into_iter().map(|element| (element, None)));
        intervals
    }
}

impl FoundElement {
    /// Whether it is for all keys that have none.
    pub fn is_any(&self) -> bool {
        self.flags & CATCH_ALL != 0
    }
}

/// Returns the operand of a key or an interval: a value, a prefix or a range.
pub(crate) fn element_operand(first: &[u8], last: Option<&[u8]>, data: &DataType, is_ordered: bool) -> Option<Operand> {
    let ordered = |bytes: &[u8]| {
        if is_ordered && is_number(data) { in_order(bytes.to_vec(), data.order) } else { bytes.to_vec() }
    };
    let Some(last) = last.filter(|last| *last != first) else { return Operand::of(&ordered(first), data) };
    match data.format {
        Format::Ipv4 | Format::Ipv6 => {
            if let Some(bits) = prefix_length(first, last) {
                return Operand::of_prefix(first, bits, data);
            }
        }
        Format::LinkName => {
            let length = first.iter().position(|byte| *byte == 0)?;
            let start = String::from_utf8(first.get(..length)?.to_vec()).ok()?;
            return last.get(length..)?.iter().all(|byte| *byte == 0xff).then_some(Operand::Text(format!("{start}*")));
        }
        _ => {}
    }
    Operand::of_range(&ordered(first), &ordered(last), data)
}

/// Returns the length of the prefix whose first and last address these are.
fn prefix_length(first: &[u8], last: &[u8]) -> Option<u32> {
    let same: u32 = first
        .iter()
        .zip(last)
        .map(|(one, other)| (one ^ other).leading_zeros())
        .scan(true, |goes_on, zeros| std::mem::replace(goes_on, *goes_on && zeros == 8).then_some(zeros))
        .sum();
    let rest = super::super::matching::operand::mask(same, first.len());
    let is_whole =
        first.iter().zip(last).zip(rest).all(|((one, other), mask)| one & !mask == 0 && other & !mask == !mask);
    is_whole.then_some(same)
}
