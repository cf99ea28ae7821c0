//! What a rule writes to a packet or to what the kernel knows about it.

use super::{
    super::{Copied, NewValue, Statement},
    lifting::Lifting,
    register::{Content, Loaded},
};
use crate::firewall::{
    expression::{
        load::{
            exthdr::{Exthdr, PRESENT},
            payload::Payload,
        },
        test::bitwise,
    },
    matching::{
        data_type::{DataType, Format},
        operand::Operand,
        selector::Selector,
        selectors::Selectors,
        source::{Bits, Header, Source},
    },
    set::map_data::MapData,
};

impl Lifting<'_> {
    pub(super) fn set(&mut self, source: u32, target: Source) -> Option<()> {
        let seen = self.seen.clone();
        let is_header = matches!(target, Source::Header(_));
        let selector = Selector::of(target, None, |requirements| is_header || seen.knows(requirements))?;
        let value = self.new_value(source, selector.data())?;
        self.push(Statement::Set(Selectors(vec![selector]), value));
        Some(())
    }

    /// Returns the value of a type that a register has.
    pub(super) fn new_value(&mut self, source: u32, data: &'static DataType) -> Option<NewValue> {
        Some(match self.content(source)?.clone() {
            Content::Constant(value) => NewValue::Constant(Operand::of(&value, data)?),
            Content::Loaded(loaded) => {
                let (from, copied) = self.copied(&loaded)?;
                self.absorb(from.requires());
                NewValue::Copy(copied)
            }
            Content::Mapped(mapped) => NewValue::Mapped(mapped.to(&MapData::Values(vec![data]))?),
        })
    }

    /// Returns a loaded value, and what was changed of it on the way.
    pub(super) fn copied(&self, loaded: &Loaded) -> Option<(Selector, Copied)> {
        if let Some((selector, None)) = self.selector(loaded)
            && loaded.xor.is_none()
        {
            let is_whole = selector.bits().is_none_or(|bits| bits.shift == 0 || loaded.shift.is_some());
            return is_whole.then(|| (selector, Copied { from: selector.to_string(), ..Copied::default() }));
        }
        let selector = Selector::of(loaded.source, None, |requirements| self.seen.knows(requirements))?;
        let data = selector.data();
        if data.format != Format::Number {
            return None;
        }
        let number = |bytes: &[u8]| match Operand::of(bytes, &DataType { names: &[], ..*data })? {
            Operand::Number(number) => Some(number),
            _ => None,
        };
        let all = u64::MAX >> 64_u32.checked_sub(8 * data.size as u32)?;
        let from = selector.to_string();
        let mut copied = match (&loaded.mask, &loaded.xor) {
            (None, _) => Copied { from, ..Copied::default() },
            (Some(mask), None) => Copied::of_bits(from, number(mask)?, 0, all),
            (Some(mask), Some(xor)) => Copied::of_bits(from, number(mask)?, number(xor)?, all),
        };
        match loaded.shift {
            Some((bitwise::LEFT, by)) => copied.left = Some(by),
            Some((_, by)) => copied.right = Some(by),
            None => {}
        }
        Some((selector, copied))
    }

    /// Loads a header or an option, writes it, or removes it.
    pub(super) fn header(&mut self, exthdr: &Exthdr) -> Option<()> {
        let is_presence = exthdr.flags.unwrap_or(0) & PRESENT != 0;
        let (offset, length) = (exthdr.offset.unwrap_or(0), exthdr.length.unwrap_or(0));
        let kind = exthdr.kind;
        let header = Header { operation: exthdr.operation.unwrap_or(0), kind, offset, length, is_presence };
        if let Some(target) = exthdr.target {
            self.load(target, Source::Header(header));
            return Some(());
        }
        let is_reset = exthdr.source.is_none();
        let header = if is_reset { Header { offset: 0, length: 1, is_presence: true, ..header } } else { header };
        let seen = self.seen.clone();
        // What is written or removed needs no match of its protocol.
        let selector = Selector::of(Source::Header(header), None, |_| true)?;
        if selector.requires().iter().all(|requirement| seen.knows(&[*requirement])) {
            self.absorb(selector.requires());
        }
        if let Some(source) = exthdr.source {
            return self.set(source, Source::Header(header));
        }
        self.push(Statement::Reset(selector.to_string()));
        Some(())
    }

    pub(super) fn write(&mut self, payload: &Payload) -> Option<()> {
        let register = payload.source?;
        let target = Source::Payload(payload.base, payload.offset, payload.length);
        if let Content::Loaded(Loaded { source, mask: Some(mask), xor, .. }) = self.content(register)?.clone()
            && source == target
        {
            return self.write_bits(payload, &mask, &xor.unwrap_or_else(|| vec![0; mask.len()]));
        }
        let seen = self.seen.clone();
        let selector = Selector::of(target, None, |requirements| seen.knows(requirements))?;
        self.absorb(selector.requires());
        self.set(register, target)
    }

    /// Returns the change of bits, or of bytes, within pairs of bytes.
    pub(super) fn write_bits(&mut self, payload: &Payload, mask: &[u8], xor: &[u8]) -> Option<()> {
        let start = mask.iter().position(|byte| *byte != 0xff)?;
        let end = mask.iter().rposition(|byte| *byte != 0xff)? + 1;
        let changed: Vec<_> = mask.get(start..end)?.iter().map(|kept| !kept).collect();
        let bits = if changed.iter().all(|byte| *byte == 0xff) { None } else { Some(Bits::of(&changed)?) };
        let source = Source::Payload(payload.base, payload.offset + start as u32, (end - start) as u32);
        let seen = self.seen.clone();
        let selector = Selector::of(source, bits, |requirements| seen.knows(requirements))?;
        let mut value = xor.get(start..end)?.to_vec();
        if let Some(bits) = selector.bits() {
            bits.take(&mut value);
        }
        self.absorb(selector.requires());
        let value = NewValue::Constant(Operand::of(&value, selector.data())?);
        self.push(Statement::Set(Selectors(vec![selector]), value));
        Some(())
    }
}
