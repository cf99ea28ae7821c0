//! Makes statements of expressions: carries them out on registers that hold selectors and constants instead of values.

use std::collections::HashMap;

use super::{
    ConnectionCount, Copied, Destination, Device, ElementOf, ElementOperation, ElementValue, Limit, Log, NewValue,
    ObjectKind, ObjectRef, Own, Port, Queue, Quota, Statement, Synproxy, Target, Translation, reject::Reject,
};
use crate::firewall::{
    expression::{
        Data, Expression,
        action::{
            dynset::{Dynset, SEVERAL},
            objref::Objref,
        },
        list,
        load::{
            exthdr::{Exthdr, PRESENT},
            hash::{Hash, SYMMETRIC},
            immediate::VERDICT,
            payload::Payload,
        },
        test::{
            bitwise::{self, Bitwise},
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
        selector::Selector,
        selectors::Selectors,
        source::{Bits, HASHED, Hashed, Header, Known, Numbers, Source},
        test::{Operator, Test, Verdicts},
        verdict::Verdict,
    },
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
    /// The operation of a shift, and by how many bits.
    shift: Option<(u32, u32)>,
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
            Expression::Rt(rt) => self.load(rt.target, Source::Route(rt.key)),
            Expression::Socket(socket) => self.load(socket.target, Source::Socket(socket.key, socket.level)),
            Expression::Osf(osf) => {
                self.load(osf.target, Source::Fingerprint(osf.ttl.unwrap_or(0), osf.flags.unwrap_or(0)));
            }
            Expression::Xfrm(xfrm) => {
                self.load(xfrm.target, Source::Ipsec(xfrm.key, xfrm.direction, xfrm.number.unwrap_or(0)));
            }
            Expression::Numgen(numgen) => {
                let (kind, modulus, offset) = (numgen.kind, numgen.modulus, numgen.offset.unwrap_or(0));
                self.load(numgen.target, Source::Numbers(Numbers { kind, modulus, offset }));
            }
            Expression::Hash(hash) => self.hash(hash)?,
            Expression::Exthdr(exthdr) => self.header(exthdr)?,
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
                let mut loaded = self.loaded(byteorder.source)?;
                loaded.is_swapped = !loaded.is_swapped;
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
            Expression::Objref(objref) => self.object(objref)?,
            Expression::Connlimit(limit) => Statement::Connections(ConnectionCount::lift(limit)),
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
                let flags = Translation::of_flags(nat.flags)?;
                let to = if flags.prefix { Some(self.prefix(nat.address?, nat.last_address?)?) } else { to };
                let translation = Translation { to, port, ..flags };
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
        let loaded = Loaded { source, mask: None, xor: None, shift: None, is_swapped: false, number };
        self.latest = None;
        self.registers.insert(word(target), Content::Loaded(loaded));
    }

    fn mask(&mut self, bitwise: &Bitwise) -> Option<()> {
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
    fn selector(&self, loaded: &Loaded) -> Option<(Selector, Option<Vec<u8>>)> {
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

    /// Returns the address of which this loads the first bytes, as nft(8) does for a prefix.
    fn start_of_address(&self, loaded: &Loaded, size: usize) -> Option<&'static Known> {
        let Source::Payload(base, offset, length) = loaded.source else {
            return self.address_of(loaded.source).filter(|known| known.data.size > size);
        };
        [4, 16]
            .into_iter()
            .filter(|size| *size > length)
            .find_map(|size| self.address_of(Source::Payload(base, offset, size)))
    }

    fn address_of(&self, source: Source) -> Option<&'static Known> {
        match Selector::of(source, None, |requirements| self.seen.knows(requirements))? {
            Selector::Known(known) if matches!(known.data.format, Format::Ipv4 | Format::Ipv6) => Some(known),
            _ => None,
        }
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
    fn learn(&mut self, source: Source, value: &[u8]) {
        let Some(requirement) = Requirement::implied(source, value) else { return };
        if !requirement.is_checked_by(source) {
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
        let operand =
            range_operand(&taken(&from, *selector, loaded), &taken(&cmp.data, *selector, loaded), selector.data())?;
        let statement = Statement::Match(selectors.clone(), Test::Is(operand));
        self.statements.pop();
        self.push(statement);
        Some(())
    }

    fn range(&mut self, range: &Range) -> Option<()> {
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
        let (selectors, placed) = self.looked_up(lookup.source, set)?;
        let key: Vec<_> = selectors.iter().map(Selector::data).collect();
        let requirements: Vec<_> = selectors.iter().flat_map(Selector::requires).copied().collect();
        let is_flags = matches!(key.as_slice(), [one] if one.format == Format::Flags);
        let list = match set {
            Some(set) if set.is_anonymous => Some(set.taken(placed).elements(&key)?),
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
        let (selectors, placed) = self.looked_up(lookup.source, Some(set))?;
        let key: Vec<_> = selectors.iter().map(Selector::data).collect();
        let requirements: Vec<_> = selectors.iter().flat_map(Selector::requires).copied().collect();
        let list = if set.is_anonymous { Some(set.taken(placed).elements(&key)?) } else { None };
        let found = FromMap { selectors, name: lookup.set.clone(), list, size: set.data_size };
        self.absorb(&requirements);
        self.latest = None;
        self.registers.insert(word(target), Content::Mapped(found));
        Some(())
    }

    /// Returns what happens to an element of a set.
    fn element(&mut self, dynset: &Dynset) -> Option<Statement> {
        let set = self.sets.get(&dynset.set)?;
        let key = self.loaded_from(dynset.key, Some(set.key_size))?;
        let value = match dynset.data {
            None => None,
            Some(data) => Some(match self.content(data)? {
                Content::Constant(value) => {
                    let types = DataType::concatenated(set.data_type?)?;
                    ElementValue::Constant(map_data::operand(&Data::Value(value.clone()), &types)?)
                }
                _ => ElementValue::Of(Selectors(self.loaded_from(data, Some(set.data_size))?)),
            }),
        };
        let own = list::read_nested(dynset.one.as_ref(), dynset.several.as_ref()).ok()?;
        let own = own.iter().map(Own::lift).collect::<Option<_>>()?;
        let values = match &value {
            Some(ElementValue::Of(Selectors(value))) => value.as_slice(),
            _ => &[],
        };
        let requirements: Vec<_> = key.iter().chain(values).flat_map(Selector::requires).copied().collect();
        self.absorb(&requirements);
        let element = ElementOf {
            set: format!("@{}", dynset.set),
            key: Selectors(key),
            value,
            timeout: dynset.timeout.filter(|timeout| *timeout != 0),
            own,
        };
        let is_known = dynset.flags.unwrap_or(0) & !SEVERAL == 0;
        is_known.then_some(Statement::Element(ElementOperation::of(dynset.operation)?, element))
    }

    /// Returns the use of an object of the table.
    fn object(&mut self, objref: &Objref) -> Option<Statement> {
        if let (Some(kind), Some(name)) = (objref.kind, &objref.name) {
            return Some(Statement::Object(ObjectKind::of(kind)?, ObjectRef::Named(name.clone())));
        }
        let name = objref.set.as_ref()?;
        let set = self.sets.get(name)?;
        let kind = ObjectKind::of(set.object_kind?)?;
        let (selectors, placed) = self.looked_up(objref.source?, Some(set))?;
        let key: Vec<_> = selectors.iter().map(Selector::data).collect();
        let map = if set.is_anonymous {
            Values::List(set.taken(placed).objects(&key)?)
        } else {
            Values::Named(format!("@{name}"))
        };
        let requirements: Vec<_> = selectors.iter().flat_map(Selector::requires).copied().collect();
        self.absorb(&requirements);
        Some(Statement::Object(kind, ObjectRef::Mapped(Mapped { selectors: Selectors(selectors), map })))
    }

    /// Loads a hash of what is in registers.
    fn hash(&mut self, hash: &Hash) -> Option<()> {
        let mut keys = [None; HASHED];
        if hash.kind != Some(SYMMETRIC) {
            let selectors = self.loaded_from(hash.source?, Some(hash.length? as usize))?;
            for (number, selector) in selectors.iter().enumerate() {
                let Selector::Known(known) = selector else { return None };
                *keys.get_mut(number)? = Some(*known);
            }
            let requirements: Vec<_> = selectors.iter().flat_map(Selector::requires).copied().collect();
            self.absorb(&requirements);
        }
        let (modulus, seed, offset) = (hash.modulus, hash.seed, hash.offset.unwrap_or(0));
        self.load(hash.target, Source::Hash(Hashed { keys, modulus, seed, offset }));
        Some(())
    }

    /// Loads a header or an option, writes it, or removes it.
    fn header(&mut self, exthdr: &Exthdr) -> Option<()> {
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

    /// Returns the selectors of a lookup, and the bits of the only one if the elements of the set are at their place.
    fn looked_up(&self, source: u32, set: Option<&FoundSet>) -> Option<(Vec<Selector>, Option<Bits>)> {
        if let Content::Loaded(loaded) = self.content(source)?
            && let Some((selector, None)) = self.selector(loaded)
            && let Some(bits) = selector.bits().filter(|bits| bits.shift != 0 && loaded.shift.is_none())
        {
            return set.is_some_and(|set| set.is_anonymous).then(|| (vec![selector], Some(bits)));
        }
        self.loaded_from(source, set.map(|set| set.key_size)).map(|selectors| (selectors, None))
    }

    /// Returns the selectors whose values are in the registers from this one on, as many as have this size.
    fn loaded_from(&self, source: u32, size: Option<usize>) -> Option<Vec<Selector>> {
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

    fn set(&mut self, source: u32, target: Source) -> Option<()> {
        let seen = self.seen.clone();
        let is_header = matches!(target, Source::Header(_));
        let selector = Selector::of(target, None, |requirements| is_header || seen.knows(requirements))?;
        let value = match self.content(source)?.clone() {
            Content::Constant(value) => NewValue::Constant(Operand::of(&value, selector.data())?),
            Content::Loaded(loaded) => {
                let (from, copied) = self.copied(&loaded)?;
                self.absorb(from.requires());
                NewValue::Copy(copied)
            }
            Content::Mapped(mapped) => NewValue::Mapped(mapped.to(&[selector.data()])?),
        };
        self.push(Statement::Set(Selectors(vec![selector]), value));
        Some(())
    }

    /// Returns a loaded value, and what was changed of it on the way.
    fn copied(&self, loaded: &Loaded) -> Option<(Selector, Copied)> {
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

    /// Returns the change of bits, or of bytes, within pairs of bytes.
    fn write_bits(&mut self, payload: &Payload, mask: &[u8], xor: &[u8]) -> Option<()> {
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

    /// Returns the prefix whose first and last address are in registers.
    fn prefix(&self, first: u32, last: u32) -> Option<Target> {
        let (first, last) = (self.constant(first)?, self.constant(last)?);
        let data = if first.len() == 4 { &types::IPV4 } else { &types::IPV6 };
        match element_operand(first, Some(last), data, true)? {
            Operand::Text(text) => Some(Target::Address(text)),
            _ => None,
        }
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
        let (to, _) = self.new_ends([address, None], [None, None])?;
        let device = match device {
            None => None,
            Some(register) => Some(match self.content(register)? {
                Content::Mapped(mapped) => Device::Mapped(mapped.to(&[&types::LINK_INDEX])?),
                Content::Constant(index) => Device::Index(u32::from_ne_bytes(index.as_slice().try_into().ok()?)),
                Content::Loaded(_) => return None,
            }),
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

fn operator(operation: u32) -> Option<Operator> {
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
fn taken(value: &[u8], selector: Selector, loaded: &Loaded) -> Vec<u8> {
    let mut value = value.to_vec();
    if let Some(bits) = selector.bits().filter(|_| loaded.shift.is_none()) {
        bits.take(&mut value);
    }
    value
}

/// Returns the comparison of a value with a mask.
fn masked(bits: &[u8], cmp: &Cmp, data: &DataType, loaded: &Loaded) -> Option<Test> {
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
