//! What a map has for its keys: verdicts, values of some types, or objects of the table.

use super::{element::Element, found::element_operand};
use crate::{
    error::Result,
    firewall::{
        expression::data::Data,
        matching::{data_type::DataType, operand::Operand},
        message::set::VERDICTS,
        object::ObjectKind,
    },
};

/// The size of a verdict: that of `struct nft_verdict` of linux/netfilter/nf_tables.h.
const VERDICT_SIZE: u32 = 16;

/// What a map has for its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MapData {
    Verdicts,
    Values(Vec<&'static DataType>),
    /// Ranges of values: those of the lower bounds, then those of the upper ones.
    Intervals(Vec<&'static DataType>),
    /// Counters, quotas or limits of the table.
    Objects(ObjectKind),
}

impl MapData {
    /// `NFTA_SET_DATA_TYPE`, or `NFTA_SET_OBJ_TYPE`.
    pub fn number(&self) -> u32 {
        match self {
            Self::Verdicts => VERDICTS,
            Self::Values(types) | Self::Intervals(types) => DataType::numbers(types),
            Self::Objects(kind) => kind.number(),
        }
    }

    /// `NFTA_SET_DATA_LEN`.
    pub fn size(&self) -> u32 {
        match self {
            Self::Verdicts => VERDICT_SIZE,
            Self::Values(types) => DataType::size_of(types) as u32,
            Self::Intervals(types) => 2 * DataType::size_of(types) as u32,
            Self::Objects(_) => 0,
        }
    }

    /// Returns values of these types, or ranges of them.
    pub fn of(types: Vec<&'static DataType>, has_intervals: bool) -> Self {
        if has_intervals { Self::Intervals(types) } else { Self::Values(types) }
    }

    /// Returns a value as bytes; `None` if the map has no values.
    pub fn value(&self, operand: &Operand) -> Result<Option<Data>> {
        Ok(match self {
            Self::Verdicts | Self::Objects(_) => None,
            Self::Values(types) => Some(value(operand, types)?),
            Self::Intervals(types) => {
                let element = Element::of(operand, types, true)?;
                Some(Data::Value([element.key.as_slice(), element.last()].concat()))
            }
        })
    }

    /// Returns the operand of a value; `None` if the bytes are not of these types.
    pub fn operand(&self, data: &Data) -> Option<Operand> {
        match self {
            Self::Verdicts | Self::Objects(_) => None,
            Self::Values(types) => operand(data, types),
            Self::Intervals(types) => range(data, types),
        }
    }
}

/// Returns a value of a map as bytes.
pub(crate) fn value(operand: &Operand, types: &[&DataType]) -> Result<Data> {
    Element::of(operand, types, false).map(|element| Data::Value(element.key))
}

/// Returns the operand of a range of values; `None` if the bytes are not of these types.
fn range(data: &Data, types: &[&DataType]) -> Option<Operand> {
    let Data::Value(bytes) = data else { return None };
    let (first, last) =
        bytes.split_at_checked(DataType::size_of(types)).filter(|(first, last)| first.len() == last.len())?;
    if let [one] = types {
        return element_operand(first, Some(last), one, true);
    }
    let mut start = 0;
    let mut parts = Vec::with_capacity(types.len());
    for one in types {
        let place = start..start + one.size;
        parts.push(element_operand(first.get(place.clone())?, last.get(place), one, true)?);
        start = (start + one.size).next_multiple_of(4);
    }
    Some(Operand::List(parts))
}

/// Returns the operand of a value; `None` if the bytes are not of these types.
pub(crate) fn operand(data: &Data, types: &[&DataType]) -> Option<Operand> {
    let Data::Value(bytes) = data else { return None };
    if let [one] = types {
        return Operand::of(bytes, one);
    }
    let mut start = 0;
    let mut parts = Vec::with_capacity(types.len());
    for one in types {
        parts.push(Operand::of(bytes.get(start..start + one.size)?, one)?);
        start = (start + one.size).next_multiple_of(4);
    }
    (bytes.len() == start).then_some(Operand::List(parts))
}
