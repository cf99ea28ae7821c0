//! Makes expressions of a match.

use super::{
    context::{Context, Requirement},
    data_type::{DataType, Format},
    mapped::{Mapped, Values},
    operand::{Operand, Value, in_order, is_reversed, mask},
    selector::Selector,
    selectors::Selectors,
    source::{Bits, Hashed, Header, Numbers, Source},
    test::{Operator, Test, Verdicts},
};
use crate::{
    error::{Error, Result},
    firewall::{
        expression::{
            Expression,
            load::{
                ct::Ct,
                exthdr::{Exthdr, PRESENT},
                fib::Fib,
                hash::{self, Hash},
                immediate,
                meta::Meta,
                numgen::Numgen,
                osf::Osf,
                payload::Payload,
                rt::Rt,
                socket::Socket,
                xfrm::Xfrm,
            },
            test::{
                bitwise::{self, Bitwise},
                byteorder::{Byteorder, TO_NETWORK},
                cmp::{self, Cmp},
                lookup::{INVERTED, Lookup},
                range::Range,
            },
        },
        object::ObjectKind,
        set::{
            anonymous::{AnonymousSet, AnonymousSets},
            element::{is_number, next, previous},
            map_data::MapData,
        },
    },
};

/// The first register of 16 bytes, and the first of 4.
pub(crate) const FIRST: u32 = 1;
pub(crate) const FIRST_SMALL: u32 = 8;

/// What a rule is made into.
#[derive(Debug)]
pub(crate) struct Lowering<'a, 'b> {
    pub context: Context,
    pub expressions: Vec<Expression>,
    pub sets: &'a mut AnonymousSets<'b>,
}

impl Lowering<'_, '_> {
    pub fn push(&mut self, expression: impl Into<Expression>) {
        self.expressions.push(expression.into());
    }

    /// Adds the expressions of a match.
    pub fn add_match(&mut self, selectors: &[Selector], test: &Test) -> Result<()> {
        if let [selector] = selectors {
            let selector = if test.has_numbers() { selector.of_numbers() } else { *selector };
            return self.add_single(selector, test);
        }
        let key: Vec<_> = selectors.iter().map(Selector::data).collect();
        let set = self.set_of(&key, test)?;
        self.require(selectors);
        self.load_all(selectors, FIRST_SMALL, set.has_intervals);
        self.look_up(set, FIRST_SMALL);
        Ok(())
    }

    /// Loads values into this register and those after it. Returns the register after them.
    pub fn load_all(&mut self, selectors: &[Selector], first: u32, has_intervals: bool) -> u32 {
        let mut register = first;
        for selector in selectors {
            self.load_whole(*selector, register);
            if has_intervals {
                self.order(selector.data(), register);
            }
            register += selector.data().size.div_ceil(4) as u32;
        }
        register
    }

    /// Loads what a map has for the values of selectors into this register. The packet fulfils what the selectors require.
    pub fn load_mapped(
        &mut self,
        Mapped { selectors: Selectors(selectors), map }: &Mapped,
        values: &MapData,
        register: u32,
    ) -> Result<()> {
        let key: Vec<_> = selectors.iter().map(Selector::data).collect();
        let set = match map {
            Values::Named(name) => self.named(name),
            Values::List(list) => LookedUp::anonymous(self.sets.add_values(key, list, values)?),
        };
        let register = small(register);
        self.load_key(selectors, register, &set);
        self.look_up(LookedUp { target: Some(register), ..set }, register);
        Ok(())
    }

    /// Loads the key for which a map has an object of the table. Returns the name and the number of the map.
    pub fn load_key_of_objects(
        &mut self,
        Mapped { selectors: Selectors(selectors), map }: &Mapped,
        kind: ObjectKind,
    ) -> Result<(String, Option<u32>)> {
        let key: Vec<_> = selectors.iter().map(Selector::data).collect();
        let set = match map {
            Values::Named(name) => self.named(name),
            Values::List(list) => LookedUp::anonymous(self.sets.add_objects(key, list, kind)?),
        };
        self.load_key(selectors, FIRST_SMALL, &set);
        Ok((set.name, set.id))
    }

    /// Loads the key of a map. Bits are compared at their place if the map is anonymous.
    fn load_key(&mut self, selectors: &[Selector], register: u32, set: &LookedUp) {
        if let ([selector], Some(_)) = (selectors, set.id)
            && let Some(bits) = selector.bits()
        {
            self.place_elements(bits);
            self.load_into(selector.source(), register);
            return self.mask_at(register, bits.bytes(selector.data().size));
        }
        self.load_all(selectors, register, set.has_intervals);
    }

    /// Loads the value of a selector into the first register.
    pub fn load(&mut self, selector: Selector) {
        self.require(&[selector]);
        self.load_into(selector.source(), FIRST);
        if let Some(bits) = selector.bits() {
            self.mask_at(FIRST, bits.bytes(selector.data().size));
        } else if let Some(mask) = selector.mask() {
            self.mask_at(FIRST, mask.to_vec());
        }
    }

    /// Loads the value of a selector, also if it is some bits, as it is written.
    pub fn load_whole(&mut self, selector: Selector, register: u32) {
        self.load_into(selector.source(), register);
        if let Some(mask) = selector.mask() {
            self.mask_at(register, mask.to_vec());
        }
        let Some(bits) = selector.bits() else { return };
        let size = selector.data().size as u32;
        self.mask_at(register, bits.bytes(selector.data().size));
        if bits.shift == 0 {
            return;
        }
        // The kernel shifts numbers of the host.
        if size > 1 {
            self.push(Byteorder { source: register, target: register, operation: TO_NETWORK, length: size, size });
        }
        self.shift(register, bitwise::RIGHT, bits.shift.into(), size);
        if size > 1 {
            self.push(Byteorder { source: register, target: register, operation: TO_NETWORK, length: size, size });
        }
    }

    /// Shifts a number of the host.
    pub fn shift(&mut self, register: u32, operation: u32, by: u32, length: u32) {
        self.push(Bitwise {
            source: register,
            target: register,
            length,
            operation: Some(operation),
            shift: Some(by.to_ne_bytes().to_vec()),
            ..Bitwise::default()
        });
    }

    fn add_single(&mut self, selector: Selector, test: &Test) -> Result<()> {
        let data = selector.data();
        match test {
            Test::Is(operand) if is_some_bits(data, operand) => {
                let flags = one(operand, data)?;
                self.load(selector);
                self.mask_at(FIRST, flags);
                self.compare(cmp::NOT_EQUAL, vec![0; data.size]);
            }
            Test::Is(operand) => self.compare_with(selector, Operator::Equal, operand)?,
            Test::Compare(None, Operator::None, operand) => {
                let flags = one(operand, data)?;
                self.load(selector);
                self.mask_at(FIRST, flags);
                self.compare(cmp::EQUAL, vec![0; data.size]);
            }
            Test::Compare(None, operator, operand) => self.compare_with(selector, *operator, operand)?,
            Test::Compare(Some(bits), operator, operand) => {
                let (bits, value) = (one(bits, data)?, one(operand, data)?);
                self.load(selector);
                self.mask_at(FIRST, bits);
                self.compare_in_order(data, *operator, value);
            }
            Test::In(_) | Test::NotIn(_) | Test::Verdicts(_) => self.look_up_single(selector, test)?,
        }
        Ok(())
    }

    fn compare_with(&mut self, selector: Selector, operator: Operator, operand: &Operand) -> Result<()> {
        let data = selector.data();
        if is_named(operand) || (matches!(operand, Operand::List(_)) && data.format != Format::Flags) {
            return self.look_up_single(selector, &Test::Compare(None, operator, operand.clone()));
        }
        let is_inverted = operator == Operator::NotEqual;
        match operand.value(data)? {
            Value::One(mut value) => {
                if let Some(bits) = selector.bits() {
                    bits.place(&mut value);
                }
                if operator == Operator::Equal
                    && !matches!(selector.source(), Source::Meta(_))
                    && let Some(implied) = Requirement::implied(selector.source(), &value)
                {
                    self.load(selector);
                    self.context.learn(implied);
                } else {
                    self.load(selector);
                }
                self.compare_in_order(data, operator, value);
            }
            Value::Prefix(value, bits) => {
                self.load(selector);
                self.mask_at(FIRST, mask(bits, data.size).collect());
                self.compare(u32::from(is_inverted), value);
            }
            Value::Start(start) => {
                self.load(selector);
                self.compare(u32::from(is_inverted), start);
            }
            Value::Range(mut from, mut to) => {
                if let Some(bits) = selector.bits() {
                    bits.place(&mut from);
                    bits.place(&mut to);
                }
                self.load(selector);
                self.order(data, FIRST);
                self.push_range(data, from, to, is_inverted);
            }
        }
        Ok(())
    }

    /// Compares with a range. A time of day that ends before it begins is the inverse of what lies between, without its ends.
    fn push_range(&mut self, data: &DataType, from: Vec<u8>, to: Vec<u8>, is_inverted: bool) {
        let is_over_midnight = is_reversed(&from, &to, data);
        let (from, to) = (in_order(from, data.order), in_order(to, data.order));
        let (from, to) = if is_over_midnight { (next(&to).unwrap_or_default(), previous(&from)) } else { (from, to) };
        self.push(Range { source: FIRST, operation: u32::from(is_inverted != is_over_midnight), from, to });
    }

    fn look_up_single(&mut self, selector: Selector, test: &Test) -> Result<()> {
        let set = self.set_of(&[selector.data()], test)?;
        match (selector.bits(), set.id) {
            (Some(_), None) => {
                // The elements of a set with a name are whole values.
                self.require(&[selector]);
                self.load_whole(selector, FIRST);
            }
            (bits, _) => {
                if let Some(bits) = bits {
                    self.place_elements(bits);
                }
                self.load(selector);
            }
        }
        if set.has_intervals {
            self.order(selector.data(), FIRST);
        }
        self.look_up(set, FIRST);
        Ok(())
    }

    /// Shifts the elements of the latest anonymous set to where the bits are that are compared with them, as nft(8) does.
    fn place_elements(&mut self, bits: Bits) {
        let Some(set) = self.sets.new.last_mut() else { return };
        for element in &mut set.elements {
            bits.place(&mut element.key);
            if let Some(last) = &mut element.last {
                bits.place(last);
            }
        }
    }

    /// Adds the matches that the selectors need and the rule does not have yet.
    pub fn require(&mut self, selectors: &[Selector]) {
        for selector in selectors {
            self.require_all(selector);
        }
    }

    pub fn require_all(&mut self, selector: &Selector) {
        for requirement in selector.requires() {
            self.require_one(*requirement);
        }
        if let Source::Hash(Hashed { keys, .. }) = selector.source() {
            for requirement in keys.iter().flatten().flat_map(|known| known.requires) {
                self.require_one(*requirement);
            }
        }
    }

    pub fn require_one(&mut self, requirement: Requirement) {
        if self.context.knows(&[requirement]) {
            return;
        }
        if let Some(dependency) = requirement.dependency(self.context.family()) {
            self.load_into(dependency.source, FIRST);
            self.compare(cmp::EQUAL, dependency.value);
        }
        self.context.learn(requirement);
    }

    pub fn load_into(&mut self, source: Source, register: u32) {
        let target = Some(register);
        match source {
            Source::Payload(base, offset, length) => {
                self.push(Payload { target, base, offset, length, ..Payload::default() });
            }
            Source::Meta(key) => self.push(Meta { target, key, source: None }),
            Source::Ct(key, direction) => self.push(Ct { target, key, direction, source: None }),
            Source::Fib(result, flags) => self.push(Fib { target: register, result, flags }),
            Source::Header(Header { operation, kind, offset, length, is_presence }) => self.push(Exthdr {
                target,
                kind,
                offset: Some(offset),
                length: Some(length),
                flags: is_presence.then_some(PRESENT),
                operation: Some(operation),
                source: None,
            }),
            Source::Route(key) => self.push(Rt { target: register, key }),
            Source::Socket(key, level) => self.push(Socket { key, target: register, level }),
            Source::Fingerprint(ttl, flags) => {
                self.push(Osf { target: register, ttl: Some(ttl), flags: Some(flags).filter(|flags| *flags != 0) });
            }
            Source::Ipsec(key, direction, number) => {
                self.push(Xfrm { target: register, key, direction, number: Some(number) });
            }
            Source::Numbers(Numbers { kind, modulus, offset }) => {
                self.push(Numgen { target: register, modulus, kind, offset: Some(offset) });
            }
            Source::Hash(hashed) => self.load_hash(&hashed, register),
        }
    }

    fn load_hash(&mut self, hashed: &Hashed, register: u32) {
        let Hashed { keys, modulus, seed, offset } = *hashed;
        let keys: Vec<_> = keys.into_iter().flatten().map(Selector::Known).collect();
        let hash = Hash { target: register, modulus, offset: Some(offset), ..Hash::default() };
        if keys.is_empty() {
            return self.push(Hash { kind: Some(hash::SYMMETRIC), ..hash });
        }
        let first = if register < FIRST_SMALL { small(register) } else { register };
        self.load_all(&keys, first, false);
        let types: Vec<_> = keys.iter().map(Selector::data).collect();
        let length = Some(DataType::size_of(&types) as u32);
        self.push(Hash { source: Some(first), length, seed, kind: Some(hash::JENKINS), ..hash });
    }

    pub fn mask_at(&mut self, register: u32, bits: Vec<u8>) {
        let xor = vec![0; bits.len()];
        self.mask_and_change(register, bits, xor);
    }

    /// Keeps the bits of a mask, and then inverts others.
    pub fn mask_and_change(&mut self, register: u32, mask: Vec<u8>, xor: Vec<u8>) {
        let length = mask.len() as u32;
        self.push(Bitwise {
            source: register,
            target: register,
            length,
            mask: Some(mask),
            xor: Some(xor),
            ..Bitwise::default()
        });
    }

    /// Numbers in the order of the host have to be compared in the order of the network.
    fn order(&mut self, data: &DataType, register: u32) {
        if is_number(data) && data.size > 1 {
            let size = data.size as u32;
            self.push(Byteorder { source: register, target: register, operation: TO_NETWORK, length: size, size });
        }
    }

    fn compare_in_order(&mut self, data: &DataType, operator: Operator, value: Vec<u8>) {
        let operation = match operator {
            Operator::Equal | Operator::None => return self.compare(cmp::EQUAL, value),
            Operator::NotEqual => return self.compare(cmp::NOT_EQUAL, value),
            Operator::Less => cmp::LESS,
            Operator::LessOrEqual => cmp::LESS_OR_EQUAL,
            Operator::Greater => cmp::GREATER,
            Operator::GreaterOrEqual => cmp::GREATER_OR_EQUAL,
        };
        self.order(data, FIRST);
        self.compare(operation, in_order(value, data.order));
    }

    fn compare(&mut self, operation: u32, data: Vec<u8>) {
        self.push(Cmp { source: FIRST, operation, data });
    }

    /// Returns the set of a test, which is anonymous or has a name.
    fn set_of(&mut self, key: &[&'static DataType], test: &Test) -> Result<LookedUp> {
        let none: &[Operand] = &[];
        let (operand, list, is_inverted) = match test {
            Test::Is(operand) | Test::Compare(None, Operator::Equal, operand) => (Some(operand), none, false),
            Test::Compare(None, Operator::NotEqual, operand) => (Some(operand), none, true),
            Test::In(list) => (None, list.as_slice(), false),
            Test::NotIn(list) => (None, list.as_slice(), true),
            Test::Verdicts(Verdicts::Named(name)) => {
                return Ok(LookedUp { target: Some(immediate::VERDICT), ..self.named(name) });
            }
            Test::Verdicts(Verdicts::List(list)) => {
                return Ok(LookedUp::anonymous(self.sets.add_map(key.to_vec(), list)?));
            }
            Test::Compare(..) => return Err(Error::InvalidArgument("a list can only be compared by == and !=".into())),
        };
        let list = match operand {
            Some(Operand::Text(name)) if name.starts_with('@') => {
                return Ok(LookedUp { is_inverted, ..self.named(name) });
            }
            Some(Operand::List(list)) => list.as_slice(),
            Some(other) => std::slice::from_ref(other),
            None => list,
        };
        Ok(LookedUp { is_inverted, ..LookedUp::anonymous(self.sets.add_set(key.to_vec(), list)?) })
    }

    fn named(&self, reference: &str) -> LookedUp {
        let name = reference.trim_start_matches('@').to_owned();
        let has_intervals = self.sets.named.has_intervals(&name);
        LookedUp { name, id: None, target: None, has_intervals, is_inverted: false }
    }

    fn look_up(&mut self, set: LookedUp, source: u32) {
        self.push(Lookup {
            set: set.name,
            source,
            target: set.target,
            set_id: set.id,
            flags: set.is_inverted.then_some(INVERTED),
        });
    }
}

/// A set in which a value is looked up.
struct LookedUp {
    name: String,
    id: Option<u32>,
    /// Where a map stores what it has.
    target: Option<u32>,
    has_intervals: bool,
    is_inverted: bool,
}

impl LookedUp {
    fn anonymous(set: &AnonymousSet) -> Self {
        Self {
            name: set.name().to_owned(),
            id: Some(set.id),
            target: matches!(set.data, Some(MapData::Verdicts)).then_some(immediate::VERDICT),
            has_intervals: set.has_intervals,
            is_inverted: false,
        }
    }
}

/// Returns the first register of 4 bytes within one of 16.
fn small(register: u32) -> u32 {
    FIRST_SMALL + (register - FIRST) * 4
}

/// Whether a comparison with this only asks for some bits.
fn is_some_bits(data: &DataType, operand: &Operand) -> bool {
    match data.format {
        Format::Flags => !is_named(operand),
        Format::Bit => matches!(operand, Operand::Number(_)),
        _ => false,
    }
}

/// Whether this names a set.
pub(crate) fn is_named(operand: &Operand) -> bool {
    matches!(operand, Operand::Text(text) if text.starts_with('@'))
}

/// Returns the bytes of an operand that is one value.
pub(crate) fn one(operand: &Operand, data: &DataType) -> Result<Vec<u8>> {
    match operand.value(data)? {
        Value::One(value) => Ok(value),
        _ => Err(Error::InvalidArgument(format!("{operand} must be one value"))),
    }
}
