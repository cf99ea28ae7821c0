//! What registers hold while a rule is read: selectors and constants instead of values.

use super::Lifting;
use crate::firewall::{
    expression::{
        Data,
        test::bitwise::{self, Bitwise},
    },
    matching::{
        data_type::DataType,
        mapped::{Mapped, Values},
        operand::Operand,
        selector::Selector,
        selectors::Selectors,
        source::Source,
    },
    set::map_data,
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
    pub(super) fn to(&self, values: &[&DataType]) -> Option<Mapped> {
        let map = match &self.list {
            None => Values::Named(format!("@{}", self.name)),
            Some(list) => {
                let pair = |(key, data): &(Operand, Option<Data>)| {
                    Some((key.clone(), map_data::operand(data.as_ref()?, values)?))
                };
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

impl Lifting<'_> {
    pub(super) fn content(&self, register: u32) -> Option<&Content> {
        self.registers.get(&word(register))
    }

    pub(super) fn loaded(&self, register: u32) -> Option<Loaded> {
        match self.content(register)? {
            Content::Loaded(loaded) => Some(loaded.clone()),
            _ => None,
        }
    }

    pub(super) fn constant(&self, register: u32) -> Option<&[u8]> {
        match self.content(register)? {
            Content::Constant(value) => Some(value),
            _ => None,
        }
    }

    pub(super) fn load(&mut self, target: u32, source: Source) {
        let number = self.statements.len();
        let loaded = Loaded { source, mask: None, xor: None, shift: None, is_swapped: false, number };
        self.latest = None;
        self.registers.insert(word(target), Content::Loaded(loaded));
    }

    pub(super) fn mask(&mut self, bitwise: &Bitwise) -> Option<()> {
        let mut loaded = self.loaded(bitwise.source)?;
        if loaded.shift.is_some() {
            return None;
        }
        match bitwise.operation.unwrap_or(0) {
            0 if loaded.mask.is_none() => {
                loaded.mask = Some(bitwise.mask.clone()?);
                loaded.xor = bitwise.xor.clone().filter(|xor| xor.iter().any(|byte| *byte != 0));
            }
            operation @ (bitwise::LEFT | bitwise::RIGHT) => {
                let by = u32::from_ne_bytes(bitwise.shift.as_deref()?.try_into().ok()?);
                loaded.shift = Some((operation, by));
            }
            _ => return None,
        }
        self.registers.insert(word(bitwise.target), Content::Loaded(loaded));
        Some(())
    }

    /// Returns the selectors whose values are in the registers from this one on, as many as have this size.
    pub(super) fn loaded_from(&self, source: u32, size: Option<usize>) -> Option<Vec<Selector>> {
        let mut selectors = Vec::new();
        let mut place = word(source);
        let size = size.map(|size| size.div_ceil(4) as u32);
        let end = size.map(|size| place + size);
        loop {
            let Some(Content::Loaded(loaded)) = self.registers.get(&place).cloned() else { return None };
            if loaded.xor.is_some() {
                return None;
            }
            let (selector, mask) = self.selector(&loaded)?;
            let selector = match mask {
                Some(mask) => selector.masked(&mask)?,
                None => selector,
            };
            if selector.bits().is_some_and(|bits| bits.shift != 0) && loaded.shift.is_none() {
                return None;
            }
            place += selector.data().size.div_ceil(4) as u32;
            selectors.push(selector);
            if end.is_none_or(|end| place >= end) {
                return Some(selectors);
            }
        }
    }
}
