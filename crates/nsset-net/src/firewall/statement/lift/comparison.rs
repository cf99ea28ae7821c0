//! Matches of values.

use super::{super::Statement, lifting::Lifting, register::Loaded};
use crate::firewall::{
    expression::test::{
        cmp::{self, Cmp},
        range::Range,
    },
    matching::{
        context::Requirement,
        data_type::{DataType, Format},
        operand::{Operand, in_order, mask},
        selector::Selector,
        selectors::Selectors,
        source::{Header, Known, Source},
        test::{Operator, Test},
    },
    set::found::element_operand,
};

impl Lifting<'_> {
    pub(super) fn compare(&mut self, cmp: &Cmp) -> Option<()> {
        let loaded = self.loaded(cmp.source)?;
        if loaded.xor.is_some() {
            return None;
        }
        if let Some(()) = self.merge_bounds(cmp, &loaded) {
            return Some(());
        }
        if loaded.mask.is_none()
            && let Some(known) = self.start_of_address(&loaded, cmp.data.len())
        {
            let mut address = cmp.data.clone();
            address.resize(known.data.size, 0);
            let operand = Operand::of_prefix(&address, 8 * cmp.data.len() as u32, known.data)?;
            self.absorb(known.requires);
            self.push_match(Selector::Known(known), equality(cmp.operation, operand)?);
            return Some(());
        }
        let (selector, mask) = self.selector(&loaded)?;
        let data = selector.data();
        let test = match mask {
            Some(mask) => masked(&mask, cmp, data, &loaded)?,
            None => plain(selector, cmp, &loaded)?,
        };
        self.absorb(selector.requires());
        self.push_match(selector, test);
        if cmp.operation == cmp::EQUAL && loaded.mask.is_none() {
            self.learn(loaded.source, &cmp.data);
        }
        if cmp.operation == cmp::GREATER_OR_EQUAL {
            self.latest = Some((loaded.number, cmp.data.clone()));
        }
        Some(())
    }

    /// Remembers what a match says about the packet.
    pub(super) fn learn(&mut self, source: Source, value: &[u8]) {
        let Some(requirement) = Requirement::implied(source, value) else { return };
        if !requirement.is_checked_by(source) {
            self.known.learn(requirement);
        } else if !self.known.knows(&[requirement]) {
            self.dependencies.push((self.statements.len() - 1, requirement));
        }
        self.seen.learn(requirement);
    }

    /// Makes a range of `>=` and `<=`, as nft(8) writes them.
    pub(super) fn merge_bounds(&mut self, cmp: &Cmp, loaded: &Loaded) -> Option<()> {
        let (number, from) = self.latest.clone()?;
        if cmp.operation != cmp::LESS_OR_EQUAL || number != loaded.number {
            return None;
        }
        let Some(Statement::Match(selectors, Test::Compare(None, Operator::GreaterOrEqual, _))) =
            self.statements.last()
        else {
            return None;
        };
        let [selector] = selectors.0.as_slice() else { return None };
        let operand =
            range_operand(&taken(&from, *selector, loaded), &taken(&cmp.data, *selector, loaded), selector.data())?;
        let statement = Statement::Match(selectors.clone(), Test::Is(operand));
        self.statements.pop();
        self.push(statement);
        Some(())
    }

    pub(super) fn range(&mut self, range: &Range) -> Option<()> {
        let loaded = self.loaded(range.source)?;
        let (selector, mask) = self.selector(&loaded)?;
        if mask.is_some() {
            return None;
        }
        let (from, to) = (taken(&range.from, selector, &loaded), taken(&range.to, selector, &loaded));
        let operand = range_operand(&from, &to, selector.data())?;
        self.absorb(selector.requires());
        self.push_match(selector, equality(range.operation, operand)?);
        Some(())
    }

    pub(super) fn push_match(&mut self, selector: Selector, test: Test) {
        self.push(Statement::Match(Selectors(vec![selector]), test));
    }

    /// Returns the address of which this loads the first bytes, as nft(8) does for a prefix.
    pub(super) fn start_of_address(&self, loaded: &Loaded, size: usize) -> Option<&'static Known> {
        let (length, of_size): (u32, &dyn Fn(u32) -> Source) = match loaded.source {
            Source::Payload(base, offset, length) => (length, &move |size| Source::Payload(base, offset, size)),
            Source::Header(header) if !header.is_presence => {
                (header.length, &move |length| Source::Header(Header { length, ..header }))
            }
            source => return self.address_of(source).filter(|known| known.data.size > size),
        };
        [4, 16].into_iter().filter(|size| *size > length).find_map(|size| self.address_of(of_size(size)))
    }

    pub(super) fn address_of(&self, source: Source) -> Option<&'static Known> {
        match Selector::of(source, None, |requirements| self.seen.knows(requirements))? {
            Selector::Known(known) if matches!(known.data.format, Format::Ipv4 | Format::Ipv6) => Some(known),
            _ => None,
        }
    }
}

pub(super) fn equality(operation: u32, operand: Operand) -> Option<Test> {
    match operation {
        cmp::EQUAL => Some(Test::Is(operand)),
        cmp::NOT_EQUAL => Some(Test::Compare(None, Operator::NotEqual, operand)),
        _ => None,
    }
}

/// Bounds are in the order of the network.
pub(super) fn range_operand(from: &[u8], to: &[u8], data: &DataType) -> Option<Operand> {
    element_operand(from, Some(to), data, true)
}

/// Returns the comparison of a value without a mask.
pub(super) fn plain(selector: Selector, cmp: &Cmp, loaded: &Loaded) -> Option<Test> {
    let data = selector.data();
    let mut value = if loaded.is_swapped { in_order(cmp.data.clone(), data.order) } else { cmp.data.clone() };
    value = taken(&value, selector, loaded);
    if data.format == Format::LinkName && value.len() < data.size {
        let start = String::from_utf8(value).ok()?;
        return equality(cmp.operation, Operand::Text(format!("{start}*")));
    }
    let operator = operator(cmp.operation)?;
    let operand = Operand::of(&value, data)?;
    Some(match operator {
        Operator::Equal if data.format != Format::Flags => Test::Is(operand),
        _ => Test::Compare(None, operator, operand),
    })
}

pub(super) fn operator(operation: u32) -> Option<Operator> {
    Some(match operation {
        cmp::EQUAL => Operator::Equal,
        cmp::NOT_EQUAL => Operator::NotEqual,
        cmp::LESS => Operator::Less,
        cmp::LESS_OR_EQUAL => Operator::LessOrEqual,
        cmp::GREATER => Operator::Greater,
        cmp::GREATER_OR_EQUAL => Operator::GreaterOrEqual,
        _ => return None,
    })
}

/// Returns a value of bits that are compared at their place.
pub(super) fn taken(value: &[u8], selector: Selector, loaded: &Loaded) -> Vec<u8> {
    let mut value = value.to_vec();
    if let Some(bits) = selector.bits().filter(|_| loaded.shift.is_none()) {
        bits.take(&mut value);
    }
    value
}

/// Returns the comparison of a value with a mask.
pub(super) fn masked(bits: &[u8], cmp: &Cmp, data: &DataType, loaded: &Loaded) -> Option<Test> {
    let is_zero = cmp.data.iter().all(|byte| *byte == 0);
    if data.format == Format::Flags && is_zero {
        let flags = Operand::of(bits, data)?;
        return match cmp.operation {
            cmp::NOT_EQUAL => Some(Test::Is(flags)),
            cmp::EQUAL => Some(Test::Compare(None, Operator::None, flags)),
            _ => None,
        };
    }
    if data.format == Format::Bit {
        return (is_zero && cmp.operation == cmp::NOT_EQUAL).then(|| Operand::of(bits, data).map(Test::Is))?;
    }
    let length: u32 = bits.iter().map(|byte| byte.count_ones()).sum();
    let is_prefix = mask(length, bits.len()).eq(bits.iter().copied());
    if is_prefix && matches!(data.format, Format::Ipv4 | Format::Ipv6) {
        return equality(cmp.operation, Operand::of_prefix(&cmp.data, length, data)?);
    }
    let value = if loaded.is_swapped { in_order(cmp.data.clone(), data.order) } else { cmp.data.clone() };
    Some(Test::Compare(Some(Operand::of(bits, data)?), operator(cmp.operation)?, Operand::of(&value, data)?))
}
