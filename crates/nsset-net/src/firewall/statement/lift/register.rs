//! What registers hold while a rule is read: selectors and constants instead of values.

use crate::firewall::{
    expression::Data,
    matching::{
        mapped::{Mapped, Values},
        operand::Operand,
        selector::Selector,
        selectors::Selectors,
        source::Source,
    },
    set::map_data::MapData,
};

/// What a register holds.
#[derive(Clone, Debug)]
pub(super) enum Content {
    Loaded(Loaded),
    Constant(Vec<u8>),
    Mapped(FromMap),
}

/// What a map has for the values of selectors.
#[derive(Clone, Debug)]
pub(super) struct FromMap {
    pub(super) selectors: Vec<Selector>,
    pub(super) name: String,
    /// The elements of a map that is anonymous.
    pub(super) list: Option<Vec<(Operand, Option<Data>)>>,
    /// The size of the values in bytes.
    pub(super) size: usize,
}

impl FromMap {
    /// Returns the plain data if the values have these types.
    pub(super) fn to(&self, values: &MapData) -> Option<Mapped> {
        let map = match &self.list {
            None => Values::Named(format!("@{}", self.name)),
            Some(list) => {
                let pair = |(key, data): &(Operand, Option<Data>)| Some((key.clone(), values.operand(data.as_ref()?)?));
                Values::List(list.iter().map(pair).collect::<Option<_>>()?)
            }
        };
        Some(Mapped { selectors: Selectors(self.selectors.clone()), map })
    }
}

/// A loaded value, and what was done with it.
#[derive(Clone, Debug)]
pub(super) struct Loaded {
    pub(super) source: Source,
    pub(super) mask: Option<Vec<u8>>,
    pub(super) xor: Option<Vec<u8>>,
    /// The operation of a shift, and by how many bits.
    pub(super) shift: Option<(u32, u32)>,
    pub(super) is_swapped: bool,
    /// Tells it from other loads of the same value.
    pub(super) number: usize,
}

/// Returns the number of the first word of a register: `NFT_REG_1` to `NFT_REG_4` have four each, `NFT_REG32_00` has one.
pub(super) fn word(register: u32) -> u32 {
    if register < 8 { (register.wrapping_sub(1)) * 4 } else { register - 8 }
}
