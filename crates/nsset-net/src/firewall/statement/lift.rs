//! Makes statements of expressions: carries them out on registers that hold selectors and constants instead of values.

use std::collections::HashMap;

use super::{
    Destination, ElementOf, ElementOperation, Limit, Log, NewValue, Own, Port, Queue, Quota, Statement, Synproxy,
    Target, Translation, reject::Reject,
};
use crate::firewall::{
    expression::{
        Data, Expression,
        action::{
            dynset::{Dynset, SEVERAL},
            objref::Objref,
        },
        list,
        load::{immediate::VERDICT, payload::Payload},
        test::{
            bitwise::Bitwise,
            cmp::{self, Cmp},
            lookup::{INVERTED, Lookup},
            range::Range,
        },
        translation::nat,
    },
    family::Family,
    matching::{
        context::{Context, Requirement},
        data_type::{self as types, DataType, Format},
        mapped::{Mapped, Values},
        operand::{Operand, in_order, mask},
        selector::{Known, Selector},
        selectors::Selectors,
        source::{Bits, Source},
        test::{Operator, Test, Verdicts},
        verdict::Verdict,
    },
    message::object,
    set::{
        found::{Found as FoundSet, element_operand},
        map_data,
    },
};

/// The anonymous sets of a table, by their names.
pub(crate) type Found = HashMap<String, FoundSet>;

/// Returns the statements of a rule; `None` if one of them has no name here.
pub(crate) fn lift(expressions: &[Expression], family: Family, sets: &Found) -> Option<Vec<Statement>> {
    let mut lifting = Lifting {
        statements: Vec::new(),
        registers: HashMap::new(),
        known: Context::new(family),
        seen: Context::new(family),
        dependencies: Vec::new(),
        latest: None,
        sets,
    };
    for expression in expressions {
        lifting.add(expression)?;
    }
    Some(lifting.statements)
}

/// What a register holds.
#[derive(Clone, Debug)]
enum Content {
    Loaded(Loaded),
    Constant(Vec<u8>),
    Mapped(FromMap),
}

/// What a map has for the values of selectors.
#[derive(Clone, Debug)]
struct FromMap {
    selectors: Vec<Selector>,
    name: String,
    /// The elements of a map that is anonymous.
    list: Option<Vec<(Operand, Option<Data>)>>,
    /// The size of the values in bytes.
    size: usize,
}

impl FromMap {
    /// Returns the plain data if the values have these types.
    fn to(&self, values: &[&DataType]) -> Option<Mapped> {
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
struct Loaded {
    source: Source,
    mask: Option<Vec<u8>>,
    xor: Option<Vec<u8>>,
    is_swapped: bool,
    /// Tells it from other loads of the same value.
    number: usize,
}

struct Lifting<'a> {
    statements: Vec<Statement>,
    /// By the first of their words of four bytes.
    registers: HashMap<u32, Content>,
    /// What the matches say that nft(8) adds by itself, and what all matches say.
    known: Context,
    seen: Context,
    /// For each of the last statements: what it checks, if it can have been added.
    dependencies: Vec<(usize, Requirement)>,
    /// The value that was compared last, and its lower bound if it was that.
    latest: Option<(usize, Vec<u8>)>,
    sets: &'a Found,
}

/// Returns the number of the first word of a register: `NFT_REG_1` to `NFT_REG_4` have four each, `NFT_REG32_00` has one.
fn word(register: u32) -> u32 {
    if register < 8 { (register.wrapping_sub(1)) * 4 } else { register - 8 }
}

impl Lifting<'_> {
    fn add(&mut self, expression: &Expression) -> Option<()> {
        match expression {
            Expression::Payload(Payload { target: Some(target), base, offset, length, .. }) => {
                self.load(*target, Source::Payload(*base, *offset, *length));
            }
            Expression::Meta(meta) => match (meta.target, meta.source) {
                (Some(target), _) => self.load(target, Source::Meta(meta.key)),
                (None, Some(source)) => self.set(source, Source::Meta(meta.key))?,
                (None, None) => return None,
            },
            Expression::Ct(ct) => match (ct.target, ct.source) {
                (Some(target), _) => self.load(target, Source::Ct(ct.key, ct.direction)),
                (None, Some(source)) => self.set(source, Source::Ct(ct.key, ct.direction))?,
                (None, None) => return None,
            },
            Expression::Fib(fib) => self.load(fib.target, Source::Fib(fib.result, fib.flags)),
            Expression::Immediate(immediate) if immediate.target == VERDICT => {
                let verdict = Verdict::of(&immediate.data)?;
                self.push(Statement::Verdict(verdict));
            }
            Expression::Immediate(immediate) => {
                let Data::Value(value) = &immediate.data else { return None };
                self.registers.insert(word(immediate.target), Content::Constant(value.clone()));
            }
            Expression::Bitwise(bitwise) => self.mask(bitwise)?,
            Expression::Byteorder(byteorder) => {
                let Content::Loaded(mut loaded) = self.content(byteorder.source)?.clone() else { return None };
                loaded.is_swapped = true;
                self.registers.insert(word(byteorder.target), Content::Loaded(loaded));
            }
            Expression::Cmp(cmp) => self.compare(cmp)?,
            Expression::Range(range) => self.range(range)?,
            Expression::Lookup(lookup) => self.look_up(lookup)?,
            Expression::Payload(payload) => self.write(payload)?,
            action => {
                let statement = self.action(action)?;
                self.push(statement);
            }
        }
        Some(())
    }

    fn action(&mut self, expression: &Expression) -> Option<Statement> {
        Some(match expression {
            Expression::Counter(_) => Statement::Counter,
            Expression::Quota(quota) => Statement::Quota(Quota::lift(quota)),
            Expression::Limit(limit) => Statement::Limit(Limit::lift(limit)?),
            Expression::Log(log) => Statement::Log(Log::lift(log)?),
            Expression::Notrack(_) => Statement::Notrack,
            Expression::Queue(queue) => Statement::Queue(Queue::lift(queue)?),
            Expression::Synproxy(synproxy) => Statement::Synproxy(Synproxy::lift(synproxy)),
            Expression::Objref(Objref { kind: Some(object::COUNTER), name: Some(name), .. }) => {
                Statement::NamedCounter(name.clone())
            }
            Expression::Objref(Objref { kind: Some(object::QUOTA), name: Some(name), .. }) => {
                Statement::NamedQuota(name.clone())
            }
            Expression::Reject(reject) => {
                let is_ipv6 = self.seen.knows(&[Requirement::Ipv6]);
                let reject = Reject::lift(reject, is_ipv6);
                if reject.is_for_tcp() {
                    self.absorb(&[Requirement::Protocol(6)]);
                }
                if let Some(is_ipv6) = reject.is_for_ipv6() {
                    self.absorb(&[if is_ipv6 { Requirement::Ipv6 } else { Requirement::Ipv4 }]);
                }
                let is_default = reject == Reject::default_of(self.known.family());
                Statement::Reject(if is_default { None } else { Some(reject.text()?) })
            }
            Expression::Masq(masq) => {
                let port = self.new_port(masq.port, masq.last_port)?;
                Statement::Masquerade(Translation { port, ..Translation::of_flags(masq.flags)? })
            }
            Expression::Redir(redir) => {
                let port = self.new_port(redir.port, redir.last_port)?;
                Statement::Redirect(Translation { port, ..Translation::of_flags(redir.flags)? })
            }
            Expression::Nat(nat) => {
                let (to, port) = self.new_ends([nat.address, nat.last_address], [nat.port, nat.last_port])?;
                let translation = Translation { to, port, ..Translation::of_flags(nat.flags)? };
                if nat.kind == nat::SOURCE { Statement::Snat(translation) } else { Statement::Dnat(translation) }
            }
            Expression::Tproxy(tproxy) => {
                let (to, port) = self.new_ends([tproxy.address, None], [tproxy.port, None])?;
                Statement::Tproxy(Translation { to, port, ..Translation::default() })
            }
            Expression::Dynset(dynset) => self.element(dynset)?,
            Expression::Dup(dup) => Statement::Duplicate(self.destination(dup.address, dup.device)?),
            Expression::Fwd(fwd) => Statement::Forward(self.destination(fwd.address, Some(fwd.device))?),
            _ => return None,
        })
    }

    fn push(&mut self, statement: Statement) {
        self.statements.push(statement);
        self.latest = None;
    }

    fn content(&self, register: u32) -> Option<&Content> {
        self.registers.get(&word(register))
    }

    fn loaded(&self, register: u32) -> Option<Loaded> {
        match self.content(register)? {
            Content::Loaded(loaded) => Some(loaded.clone()),
            _ => None,
        }
    }

    fn constant(&self, register: u32) -> Option<&[u8]> {
        match self.content(register)? {
            Content::Constant(value) => Some(value),
            _ => None,
        }
    }

    fn load(&mut self, target: u32, source: Source) {
        let number = self.statements.len();
        let loaded = Loaded { source, mask: None, xor: None, is_swapped: false, number };
        self.latest = None;
        self.registers.insert(word(target), Content::Loaded(loaded));
    }

    fn mask(&mut self, bitwise: &Bitwise) -> Option<()> {
        let mut loaded = self.loaded(bitwise.source)?;
        if bitwise.operation.unwrap_or(0) != 0 || loaded.mask.is_some() {
            return None;
        }
        loaded.mask = Some(bitwise.mask.clone()?);
        loaded.xor = bitwise.xor.clone().filter(|xor| xor.iter().any(|byte| *byte != 0));
        self.registers.insert(word(bitwise.target), Content::Loaded(loaded));
        Some(())
    }

    /// Removes the matches at the end that were added for a selector.
    fn absorb(&mut self, requirements: &[Requirement]) {
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

    /// Returns the selector of a value, and removes the matches that were added for it.
    fn selector(&mut self, loaded: &Loaded) -> Option<(Selector, Option<Vec<u8>>)> {
        let bits = match loaded.mask.as_deref() {
            Some([mask]) => Some(Bits { mask: *mask, shift: mask.trailing_zeros() as u8 }),
            _ => None,
        };
        let seen = self.seen.clone();
        let of = |bits| Selector::of(loaded.source, bits, |requirements| seen.knows(requirements));
        let named = bits.and_then(|bits| of(Some(bits))).filter(|selector| matches!(selector, Selector::Known(_)));
        let (selector, mask) = match named {
            Some(selector) => (selector, None),
            None => (of(None)?, loaded.mask.clone()),
        };
        Some((selector, mask))
    }

    /// Returns the address of which this loads the first bytes, as nft(8) does for a prefix.
    fn start_of_address(&self, loaded: &Loaded) -> Option<&'static Known> {
        let Source::Payload(base, offset, length) = loaded.source else { return None };
        [4, 16].into_iter().filter(|size| *size > length).find_map(|size| {
            let of =
                Selector::of(Source::Payload(base, offset, size), None, |requirements| self.seen.knows(requirements));
            match of? {
                Selector::Known(known) if matches!(known.data.format, Format::Ipv4 | Format::Ipv6) => Some(known),
                _ => None,
            }
        })
    }

    fn compare(&mut self, cmp: &Cmp) -> Option<()> {
        let loaded = self.loaded(cmp.source)?;
        if loaded.xor.is_some() {
            return None;
        }
        if let Some(()) = self.merge_bounds(cmp, &loaded) {
            return Some(());
        }
        if loaded.mask.is_none()
            && let Some(known) = self.start_of_address(&loaded)
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
            Some(mask) => masked(&mask, cmp, data)?,
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
    fn learn(&mut self, source: Source, value: &[u8]) {
        let Some(requirement) = Requirement::implied(source, value) else { return };
        if !matches!(source, Source::Meta(_)) {
            self.known.learn(requirement);
        } else if !self.known.knows(&[requirement]) {
            self.dependencies.push((self.statements.len() - 1, requirement));
        }
        self.seen.learn(requirement);
    }

    /// Makes a range of `>=` and `<=`, as nft(8) writes them.
    fn merge_bounds(&mut self, cmp: &Cmp, loaded: &Loaded) -> Option<()> {
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
        let operand = range_operand(&from, &cmp.data, selector.data())?;
        let statement = Statement::Match(selectors.clone(), Test::Is(operand));
        self.statements.pop();
        self.push(statement);
        Some(())
    }

    fn range(&mut self, range: &Range) -> Option<()> {
        let loaded = self.loaded(range.source)?;
        let (selector, mask) = self.selector(&loaded)?;
        if mask.is_some() || selector.bits().is_some() {
            return None;
        }
        let operand = range_operand(&range.from, &range.to, selector.data())?;
        self.absorb(selector.requires());
        self.push_match(selector, equality(range.operation, operand)?);
        Some(())
    }

    fn push_match(&mut self, selector: Selector, test: Test) {
        self.push(Statement::Match(Selectors(vec![selector]), test));
    }

    fn look_up(&mut self, lookup: &Lookup) -> Option<()> {
        let is_inverted = lookup.flags.unwrap_or(0) & INVERTED != 0;
        let is_map = match lookup.target {
            None => false,
            Some(VERDICT) => true,
            Some(target) => return self.look_up_value(lookup, target),
        };
        let set = self.sets.get(&lookup.set);
        let selectors = self.looked_up(lookup.source, set.map(|set| set.key_size))?;
        let key: Vec<_> = selectors.iter().map(Selector::data).collect();
        let requirements: Vec<_> = selectors.iter().flat_map(Selector::requires).copied().collect();
        let is_flags = matches!(key.as_slice(), [one] if one.format == Format::Flags);
        let list = match set {
            Some(set) if set.is_anonymous => Some(set.elements(&key)?),
            _ => None,
        };
        let test = match list {
            Some(list) if is_map => {
                let pairs = list.into_iter().map(|(operand, data)| Some((operand, Verdict::of(&data?)?)));
                Test::Verdicts(Verdicts::List(pairs.collect::<Option<_>>()?))
            }
            None if is_map => Test::Verdicts(Verdicts::Named(format!("@{}", lookup.set))),
            Some(list) => {
                let list = list.into_iter().map(|(operand, _)| operand).collect();
                match (is_flags, is_inverted) {
                    (true, false) => Test::In(list),
                    (true, true) => Test::NotIn(list),
                    (false, false) => Test::Is(Operand::List(list)),
                    (false, true) => Test::Compare(None, Operator::NotEqual, Operand::List(list)),
                }
            }
            None => equality(u32::from(is_inverted), Operand::Text(format!("@{}", lookup.set)))?,
        };
        self.absorb(&requirements);
        self.push(Statement::Match(Selectors(selectors), test));
        Some(())
    }

    /// Stores in a register what a map has.
    fn look_up_value(&mut self, lookup: &Lookup, target: u32) -> Option<()> {
        let set: &FoundSet = self.sets.get(&lookup.set)?;
        let selectors = self.looked_up(lookup.source, Some(set.key_size))?;
        let key: Vec<_> = selectors.iter().map(Selector::data).collect();
        let requirements: Vec<_> = selectors.iter().flat_map(Selector::requires).copied().collect();
        let list = if set.is_anonymous { Some(set.elements(&key)?) } else { None };
        let found = FromMap { selectors, name: lookup.set.clone(), list, size: set.data_size };
        self.absorb(&requirements);
        self.latest = None;
        self.registers.insert(word(target), Content::Mapped(found));
        Some(())
    }

    /// Returns what happens to an element of a set.
    fn element(&mut self, dynset: &Dynset) -> Option<Statement> {
        let set = self.sets.get(&dynset.set)?;
        let (key_size, data_size) = (set.key_size, set.data_size);
        let key = self.looked_up(dynset.key, Some(key_size))?;
        let value = match dynset.data {
            Some(data) => Some(self.looked_up(data, Some(data_size))?),
            None => None,
        };
        let own = list::read_nested(dynset.one.as_ref(), dynset.several.as_ref()).ok()?;
        let own = own.iter().map(Own::lift).collect::<Option<_>>()?;
        let all = key.iter().chain(value.iter().flatten());
        let requirements: Vec<_> = all.flat_map(Selector::requires).copied().collect();
        self.absorb(&requirements);
        let element = ElementOf {
            set: format!("@{}", dynset.set),
            key: Selectors(key),
            value: value.map(Selectors),
            timeout: dynset.timeout.filter(|timeout| *timeout != 0),
            own,
        };
        let is_known = dynset.flags.unwrap_or(0) & !SEVERAL == 0;
        is_known.then_some(Statement::Element(ElementOperation::of(dynset.operation)?, element))
    }

    /// Returns the selectors whose values are in the registers from this one on, as many as have this size.
    fn looked_up(&mut self, source: u32, size: Option<usize>) -> Option<Vec<Selector>> {
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
            if mask.is_some() || selector.bits().is_some() {
                return None;
            }
            place += selector.data().size.div_ceil(4) as u32;
            selectors.push(selector);
            if end.is_none_or(|end| place >= end) {
                return Some(selectors);
            }
        }
    }

    fn set(&mut self, source: u32, target: Source) -> Option<()> {
        let seen = self.seen.clone();
        let selector = Selector::of(target, None, |requirements| seen.knows(requirements))?;
        let value = match self.content(source)?.clone() {
            Content::Constant(value) => NewValue::Constant(Operand::of(&value, selector.data())?),
            Content::Loaded(loaded) => {
                let (from, mask) = self.selector(&loaded)?;
                if mask.is_some() || loaded.xor.is_some() {
                    return None;
                }
                self.absorb(from.requires());
                NewValue::Copy { from: from.to_string() }
            }
            Content::Mapped(mapped) => NewValue::Mapped(mapped.to(&[selector.data()])?),
        };
        self.push(Statement::Set(Selectors(vec![selector]), value));
        Some(())
    }

    fn write(&mut self, payload: &Payload) -> Option<()> {
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

    /// Returns the change of bits within two bytes.
    fn write_bits(&mut self, payload: &Payload, mask: &[u8], xor: &[u8]) -> Option<()> {
        let at = mask.iter().position(|byte| *byte != 0xff)?;
        let kept = *mask.get(at)?;
        let bits = Bits { mask: !kept, shift: kept.trailing_ones() as u8 };
        let source = Source::Payload(payload.base, payload.offset + at as u32, 1);
        let seen = self.seen.clone();
        let selector = Selector::of(source, Some(bits), |requirements| seen.knows(requirements))?;
        let value = xor.get(at)?.checked_shr(bits.shift.into())?;
        self.absorb(selector.requires());
        let value = NewValue::Constant(Operand::of(&[value], selector.data())?);
        self.push(Statement::Set(Selectors(vec![selector]), value));
        Some(())
    }

    /// Returns new addresses and ports, of which these registers hold the first and the last.
    fn new_ends(&self, addresses: [Option<u32>; 2], ports: [Option<u32>; 2]) -> Option<(Option<Target>, Option<Port>)> {
        let [first, last] = addresses;
        let Some((first, Content::Mapped(mapped))) = first.and_then(|first| Some((first, self.content(first)?))) else {
            return Some((self.addresses(first, last)?.map(Target::Address), self.new_port(ports[0], ports[1])?));
        };
        let address = match mapped.size {
            4 | 8 => &types::IPV4,
            16 | 20 => &types::IPV6,
            _ => return None,
        };
        if last.is_some_and(|last| last != first) {
            return None;
        }
        if mapped.size == address.size {
            return Some((Some(Target::Mapped(mapped.to(&[address])?)), self.new_port(ports[0], ports[1])?));
        }
        let behind = word(first) + address.size as u32 / 4;
        let has_port = ports.iter().flatten().all(|port| word(*port) == behind) && ports[0].is_some();
        has_port.then_some((Some(Target::Mapped(mapped.to(&[address, &types::PORT])?)), None))
    }

    #[expect(clippy::option_option, reason = "as for addresses")]
    fn new_port(&self, first: Option<u32>, last: Option<u32>) -> Option<Option<Port>> {
        if let Some((first, Content::Mapped(mapped))) = first.and_then(|first| Some((first, self.content(first)?))) {
            let is_one = last.is_none_or(|last| last == first) && mapped.size == types::PORT.size;
            return is_one.then_some(Some(Port::Mapped(mapped.to(&[&types::PORT])?)));
        }
        Some(self.ports(first, last)?.map(Port::Given))
    }

    #[expect(clippy::option_option, reason = "there may be none, or one that has no name here")]
    fn addresses(&self, first: Option<u32>, last: Option<u32>) -> Option<Option<String>> {
        let text = |register| {
            let value = self.constant(register)?;
            match Operand::of(value, if value.len() == 4 { &types::IPV4 } else { &types::IPV6 })? {
                Operand::Text(text) => Some(text),
                _ => None,
            }
        };
        let Some(first) = first else { return Some(None) };
        let first_text = text(first)?;
        // The kernel lists the first register twice if there is one address.
        Some(Some(match last.filter(|last| *last != first).map(text) {
            Some(last) => format!("{first_text}-{}", last?),
            None => first_text,
        }))
    }

    #[expect(clippy::option_option, reason = "as for addresses")]
    fn ports(&self, first: Option<u32>, last: Option<u32>) -> Option<Option<Operand>> {
        let Some(first) = first else { return Some(None) };
        let from = self.constant(first)?;
        Some(match last.filter(|last| *last != first) {
            Some(last) => Some(Operand::of_range(from, self.constant(last)?, &types::PORT)?),
            None => Some(Operand::of(from, &types::PORT)?),
        })
    }

    fn destination(&self, address: Option<u32>, device: Option<u32>) -> Option<Destination> {
        let to = match self.addresses(address, None)? {
            Some(text) => Some(text.parse().ok()?),
            None => None,
        };
        let device = match device {
            Some(register) => Some(u32::from_ne_bytes(self.constant(register)?.try_into().ok()?)),
            None => None,
        };
        Some(Destination { to, device })
    }
}

fn equality(operation: u32, operand: Operand) -> Option<Test> {
    match operation {
        cmp::EQUAL => Some(Test::Is(operand)),
        cmp::NOT_EQUAL => Some(Test::Compare(None, Operator::NotEqual, operand)),
        _ => None,
    }
}

/// Bounds are in the order of the network.
fn range_operand(from: &[u8], to: &[u8], data: &DataType) -> Option<Operand> {
    element_operand(from, Some(to), data, true)
}

/// Returns the comparison of a value without a mask.
fn plain(selector: Selector, cmp: &Cmp, loaded: &Loaded) -> Option<Test> {
    let data = selector.data();
    let mut value = if loaded.is_swapped { in_order(cmp.data.clone(), data.order) } else { cmp.data.clone() };
    if let (Some(bits), [byte]) = (selector.bits(), value.as_mut_slice()) {
        *byte >>= bits.shift;
    }
    if data.format == Format::LinkName && value.len() < data.size {
        let start = String::from_utf8(value).ok()?;
        return equality(cmp.operation, Operand::Text(format!("{start}*")));
    }
    let operator = match cmp.operation {
        cmp::EQUAL => Operator::Equal,
        cmp::NOT_EQUAL => Operator::NotEqual,
        cmp::LESS => Operator::Less,
        cmp::LESS_OR_EQUAL => Operator::LessOrEqual,
        cmp::GREATER => Operator::Greater,
        cmp::GREATER_OR_EQUAL => Operator::GreaterOrEqual,
        _ => return None,
    };
    let operand = Operand::of(&value, data)?;
    Some(match operator {
        Operator::Equal if data.format != Format::Flags => Test::Is(operand),
        _ => Test::Compare(None, operator, operand),
    })
}

/// Returns the comparison of a value with a mask.
fn masked(bits: &[u8], cmp: &Cmp, data: &DataType) -> Option<Test> {
    let is_zero = cmp.data.iter().all(|byte| *byte == 0);
    if data.format == Format::Flags && is_zero {
        let flags = Operand::of(bits, data)?;
        return match cmp.operation {
            cmp::NOT_EQUAL => Some(Test::Is(flags)),
            cmp::EQUAL => Some(Test::Compare(None, Operator::None, flags)),
            _ => None,
        };
    }
    let length: u32 = bits.iter().map(|byte| byte.count_ones()).sum();
    let is_prefix = mask(length, bits.len()).eq(bits.iter().copied());
    if is_prefix && matches!(data.format, Format::Ipv4 | Format::Ipv6) {
        return equality(cmp.operation, Operand::of_prefix(&cmp.data, length, data)?);
    }
    let operator = match cmp.operation {
        cmp::EQUAL => Operator::Equal,
        cmp::NOT_EQUAL => Operator::NotEqual,
        _ => return None,
    };
    Some(Test::Compare(Some(Operand::of(bits, data)?), operator, Operand::of(&cmp.data, data)?))
}
