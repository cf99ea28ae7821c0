//! The state in which a rule is read: its statements so far, and what the registers hold.

use std::collections::HashMap;

use super::{
    super::Statement,
    register::{Content, Loaded, word},
};
use crate::firewall::{
    expression::test::bitwise::{self, Bitwise},
    matching::{
        context::{Context, Requirement},
        selector::Selector,
        source::{Bits, Source},
    },
    set::found::Found as FoundSet,
};

/// The anonymous sets of a table, by their names.
pub(crate) type Found = HashMap<String, FoundSet>;

pub(super) struct Lifting<'a> {
    pub(super) statements: Vec<Statement>,
    /// By the first of their words of four bytes.
    pub(super) registers: HashMap<u32, Content>,
    /// What the matches say that nft(8) adds by itself, and what all matches say.
    pub(super) known: Context,
    pub(super) seen: Context,
    /// For each of the last statements: what it checks, if it can have been added.
    pub(super) dependencies: Vec<(usize, Requirement)>,
    /// The value that was compared last, and its lower bound if it was that.
    pub(super) latest: Option<(usize, Vec<u8>)>,
    pub(super) sets: &'a Found,
}

impl Lifting<'_> {
    pub(super) fn push(&mut self, statement: Statement) {
        self.statements.push(statement);
        self.latest = None;
    }

    /// Removes the matches at the end that were added for a selector.
    pub(super) fn absorb(&mut self, requirements: &[Requirement]) {
        for requirement in requirements.iter().rev() {
            let last = self.statements.len().wrapping_sub(1);
            if self.dependencies.last() == Some(&(last, *requirement)) {
                self.dependencies.pop();
                self.statements.pop();
            }
        }
        for requirement in requirements {
            self.known.learn(*requirement);
            self.seen.learn(*requirement);
        }
    }

    /// Removes the matches at the end that were added for selectors.
    pub(super) fn absorb_all<'s>(&mut self, selectors: impl IntoIterator<Item = &'s Selector>) {
        let requirements: Vec<_> = selectors.into_iter().flat_map(Selector::requires).copied().collect();
        self.absorb(&requirements);
    }

    /// Returns the selector of a value, and removes the matches that were added for it.
    pub(super) fn selector(&self, loaded: &Loaded) -> Option<(Selector, Option<Vec<u8>>)> {
        let bits = loaded.mask.as_deref().and_then(Bits::of);
        let seen = self.seen.clone();
        let of = |bits| Selector::of(loaded.source, bits, |requirements| seen.knows(requirements));
        let named = bits.and_then(|bits| of(Some(bits))).filter(|selector| matches!(selector, Selector::Known(_)));
        match (named, loaded.shift) {
            (Some(selector), None) => Some((selector, None)),
            (Some(selector), Some((bitwise::RIGHT, by))) if bits.is_some_and(|bits| u32::from(bits.shift) == by) => {
                Some((selector, None))
            }
            (_, Some(_)) => None,
            (None, None) => Some((of(None)?, loaded.mask.clone())),
        }
    }

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
