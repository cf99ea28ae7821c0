//! What sets, maps and objects are used for.

use super::{
    super::{ElementOf, ElementOperation, ElementValue, ObjectRef, Own, Statement},
    comparison::equality,
    lifting::Lifting,
    register::{Content, FromMap, word},
};
use crate::firewall::{
    expression::{
        Data,
        action::{
            dynset::{Dynset, SEVERAL},
            objref::Objref,
        },
        list,
        load::{
            hash::{Hash, SYMMETRIC},
            immediate::VERDICT,
        },
        test::lookup::{INVERTED, Lookup},
    },
    matching::{
        data_type::{DataType, Format},
        mapped::{Mapped, Values},
        operand::Operand,
        selector::Selector,
        selectors::Selectors,
        source::{Bits, HASHED, Hashed, Source},
        test::{Operator, Test, Verdicts},
        verdict::Verdict,
    },
    object::ObjectKind,
    set::{found::Found as FoundSet, map_data},
};

impl Lifting<'_> {
    pub(super) fn look_up(&mut self, lookup: &Lookup) -> Option<()> {
        let is_inverted = lookup.flags.unwrap_or(0) & INVERTED != 0;
        let is_map = match lookup.target {
            None => false,
            Some(VERDICT) => true,
            Some(target) => return self.look_up_value(lookup, target),
        };
        let set = self.sets.get(&lookup.set);
        let (selectors, placed) = self.looked_up(lookup.source, set)?;
        let key: Vec<_> = selectors.iter().map(Selector::data).collect();
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
        self.absorb_all(&selectors);
        self.push(Statement::Match(Selectors(selectors), test));
        Some(())
    }

    /// Stores in a register what a map has.
    pub(super) fn look_up_value(&mut self, lookup: &Lookup, target: u32) -> Option<()> {
        let set: &FoundSet = self.sets.get(&lookup.set)?;
        let (selectors, placed) = self.looked_up(lookup.source, Some(set))?;
        let key: Vec<_> = selectors.iter().map(Selector::data).collect();
        let list = if set.is_anonymous { Some(set.taken(placed).elements(&key)?) } else { None };
        let size = set.data_size;
        self.absorb_all(&selectors);
        let found = FromMap { selectors, name: lookup.set.clone(), list, size };
        self.latest = None;
        self.registers.insert(word(target), Content::Mapped(found));
        Some(())
    }

    /// Returns what happens to an element of a set.
    pub(super) fn element(&mut self, dynset: &Dynset) -> Option<Statement> {
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
        self.absorb_all(key.iter().chain(values));
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
    pub(super) fn object(&mut self, objref: &Objref) -> Option<Statement> {
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
        self.absorb_all(&selectors);
        Some(Statement::Object(kind, ObjectRef::Mapped(Mapped { selectors: Selectors(selectors), map })))
    }

    /// Loads a hash of what is in registers.
    pub(super) fn hash(&mut self, hash: &Hash) -> Option<()> {
        let mut keys = [None; HASHED];
        if hash.kind != Some(SYMMETRIC) {
            let selectors = self.loaded_from(hash.source?, Some(hash.length? as usize))?;
            for (number, selector) in selectors.iter().enumerate() {
                let Selector::Known(known) = selector else { return None };
                *keys.get_mut(number)? = Some(*known);
            }
            self.absorb_all(&selectors);
        }
        let (modulus, seed, offset) = (hash.modulus, hash.seed, hash.offset.unwrap_or(0));
        self.load(hash.target, Source::Hash(Hashed { keys, modulus, seed, offset }));
        Some(())
    }

    /// Returns the selectors of a lookup, and the bits of the only one if the elements of the set are at their place.
    pub(super) fn looked_up(&self, source: u32, set: Option<&FoundSet>) -> Option<(Vec<Selector>, Option<Bits>)> {
        if let Content::Loaded(loaded) = self.content(source)?
            && let Some((selector, None)) = self.selector(loaded)
            && let Some(bits) = selector.bits().filter(|bits| bits.shift != 0 && loaded.shift.is_none())
        {
            return set.is_some_and(|set| set.is_anonymous).then(|| (vec![selector], Some(bits)));
        }
        self.loaded_from(source, set.map(|set| set.key_size)).map(|selectors| (selectors, None))
    }
}
