//! What a map has for its keys: verdicts, values of some types, or objects of the table.

use super::element::Element;
use crate::{
    error::Result,
    firewall::{
        expression::data::Data,
        matching::{data_type::DataType, operand::Operand},
        message::set::VERDICTS,
        statement::ObjectKind,
    },
};

/// The size of a verdict: that of `struct nft_verdict` of linux/netfilter/nf_tables.h.
const VERDICT_SIZE: u32 = 16;

/// What a map has for its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MapData {
    Verdicts,
    Values(Vec<&'static DataType>),
    /// Counters, quotas or limits of the table.
    Objects(ObjectKind),
}

impl MapData {
    /// `NFTA_SET_DATA_TYPE`, or `NFTA_SET_OBJ_TYPE`.
    pub fn number(&self) -> u32 {
        match self {
            Self::Verdicts => VERDICTS,
            Self::Values(types) => DataType::numbers(types),
            Self::Objects(kind) => kind.number(),
        }
    }

    /// `NFTA_SET_DATA_LEN`.
    pub fn size(&self) -> u32 {
        match self {
            Self::Verdicts => VERDICT_SIZE,
            Self::Values(types) => DataType::size_of(types) as u32,
            Self::Objects(_) => 0,
        }
    }

    /// The types of values.
    pub fn values(&self) -> &[&'static DataType] {
        match self {
            Self::Verdicts | Self::Objects(_) => &[],
            Self::Values(types) => types,
        }
    }
}

/// Returns a value of a map as bytes.
pub(crate) fn value(operand: &Operand, types: &[&DataType]) -> Result<Data> {
    Element::of(operand, types, false).map(|element| Data::Value(element.key))
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
