//! Makes expressions of a match.

use super::{
    context::{Context, Requirement},
    data_type::{DataType, Format},
    mapped::{Mapped, Values},
    operand::{Operand, Value, in_order, is_reversed, mask},
    selector::Selector,
    selectors::Selectors,
    source::Source,
    test::{Operator, Test, Verdicts},
};
use crate::{
    error::{Error, Result},
    firewall::{
        expression::{
            Expression,
            load::{ct::Ct, fib::Fib, immediate, meta::Meta, payload::Payload},
            test::{
                bitwise::Bitwise,
                byteorder::{Byteorder, TO_NETWORK},
                cmp::{self, Cmp},
                lookup::{INVERTED, Lookup},
                range::Range,
            },
        },
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
            return self.add_single(*selector, test);
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
            self.load_into(selector.source(), register);
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
        values: &[&'static DataType],
        register: u32,
    ) -> Result<()> {
        if let Some(part) = selectors.iter().find(|selector| selector.bits().is_some()) {
            return Err(Error::InvalidArgument(format!("'{part}' cannot be looked up in a map")));
        }
        let key: Vec<_> = selectors.iter().map(Selector::data).collect();
        let set = match map {
            Values::Named(name) => self.named(name),
            Values::List(list) => LookedUp::anonymous(self.sets.add_values(key, list, values)?),
        };
        let register = small(register);
        self.load_all(selectors, register, set.has_intervals);
        self.look_up(LookedUp { target: Some(register), ..set }, register);
        Ok(())
    }

    /// Loads the value of a selector into the first register.
    pub fn load(&mut self, selector: Selector) {
        self.require(&[selector]);
        self.load_into(selector.source(), FIRST);
        if let Some(bits) = selector.bits() {
            self.mask(vec![bits.mask]);
        }
    }

    fn add_single(&mut self, selector: Selector, test: &Test) -> Result<()> {
        let data = selector.data();
        match test {
            Test::Is(operand) if data.format == Format::Flags && !is_named(operand) => {
                let flags = one(operand, data)?;
                self.load(selector);
                self.mask(flags);
                self.compare(cmp::NOT_EQUAL, vec![0; data.size]);
            }
            Test::Is(operand) => self.compare_with(selector, Operator::Equal, operand)?,
            Test::Compare(None, Operator::None, operand) => {
                let flags = one(operand, data)?;
                self.load(selector);
                self.mask(flags);
                self.compare(cmp::EQUAL, vec![0; data.size]);
            }
            Test::Compare(None, operator, operand) => self.compare_with(selector, *operator, operand)?,
            Test::Compare(Some(bits), operator, operand) => {
                let (bits, value) = (one(bits, data)?, one(operand, data)?);
                self.load(selector);
                self.mask(bits);
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
                if let (Some(bits), [byte]) = (selector.bits(), value.as_mut_slice()) {
                    *byte <<= bits.shift;
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
                self.mask(mask(bits, data.size).collect());
                self.compare(u32::from(is_inverted), value);
            }
            Value::Start(start) => {
                self.load(selector);
                self.compare(u32::from(is_inverted), start);
            }
            Value::Range(from, to) => {
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
        if selector.bits().is_some() {
            return Err(Error::InvalidArgument(format!("'{selector}' can only be compared with one value")));
        }
        let set = self.set_of(&[selector.data()], test)?;
        self.load(selector);
        if set.has_intervals {
            self.order(selector.data(), FIRST);
        }
        self.look_up(set, FIRST);
        Ok(())
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
    }

    pub fn require_one(&mut self, requirement: Requirement) {
        if self.context.knows(&[requirement]) {
            return;
        }
        if let Some(dependency) = requirement.dependency(self.context.family()) {
            self.load_into(Source::Meta(dependency.key), FIRST);
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
        }
    }

    fn mask(&mut self, bits: Vec<u8>) {
        let (length, xor) = (bits.len() as u32, vec![0; bits.len()]);
        self.push(Bitwise { source: FIRST, target: FIRST, length, mask: Some(bits), xor: Some(xor), operation: None });
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
