//! Reads tables from the answers of the kernel.

use super::{
    expression::{Expression, data::Data, field::Field, list},
    family::Family,
    hook::{self, Priority},
    matching::{data_type::DataType, operand::Operand, verdict::Verdict},
    message::{self, HEADER},
    object::{FoundObject, ObjectKind},
    set::{
        element,
        found::{Found as FoundSet, FoundElement},
        map_data::MapData,
    },
    statement::{Found, Own, Statement, lift},
    table::{Chain, DetailedElement, MapTypes, OneOrMore, Policy, Set, SetElement, SetFlag, TableRef},
    user_data,
};
use crate::{
    netlink::attributes::{Attributes, Malformed, text, u8_at},
    octets::Octets,
};

type Result<T> = std::result::Result<T, Malformed>;

/// A table without what is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FoundTable {
    pub table: TableRef,
    pub is_dormant: bool,
    pub comment: Option<String>,
}

/// A set without its elements.
#[derive(Clone, Debug)]
pub(crate) struct SetHeader {
    pub name: String,
    pub flags: u32,
    pub key_type: u32,
    pub key_size: u32,
    pub data_type: Option<u32>,
    pub data_size: u32,
    pub timeout: Option<u64>,
    pub size: Option<u32>,
    /// What each element has of its own.
    pub own: Vec<Expression>,
    pub object_kind: Option<u32>,
    pub comment: Option<String>,
}

/// A rule in the kernel's terms.
#[derive(Clone, Debug)]
pub(crate) struct FoundRule {
    pub chain: String,
    pub handle: u64,
    pub expressions: Vec<u8>,
    pub comment: Option<String>,
}

/// Returns the family in the header of a message; `None` if this crate does not know it.
pub(crate) fn family(message: &[u8]) -> Result<Option<Family>> {
    u8_at(message, 0).map(Family::of)
}

pub(crate) fn table(message: &[u8]) -> Result<Option<FoundTable>> {
    let Some(family) = family(message)? else { return Ok(None) };
    let mut found = FoundTable { table: TableRef { family, name: String::new() }, is_dormant: false, comment: None };
    for attribute in Attributes::behind(HEADER, message)? {
        match attribute? {
            (message::table::NAME, value) => found.table.name = text(value),
            (message::table::FLAGS, value) => {
                found.is_dormant = u32::read(Some(value))? & message::table::DORMANT != 0;
            }
            (message::table::USERDATA, value) => found.comment = user_data::read_text(value, user_data::COMMENT),
            _ => {}
        }
    }
    Ok(Some(found))
}

/// Reads a chain of a table, with its name.
pub(crate) fn chain(message: &[u8], table: &TableRef) -> Result<Option<(String, Chain)>> {
    use message::chain as attribute;
    if family(message)? != Some(table.family) {
        return Ok(None);
    }
    let (mut of, mut name, mut chain) = (String::new(), String::new(), Chain::default());
    for attribute in Attributes::behind(HEADER, message)? {
        match attribute? {
            (attribute::TABLE, value) => of = text(value),
            (attribute::NAME, value) => name = text(value),
            (attribute::TYPE, value) => chain.kind = Some(text(value)),
            (attribute::HOOK, value) => read_hook(value, table.family, &mut chain)?,
            (attribute::POLICY, value) => {
                let is_drop = u32::read(Some(value))? == 0;
                chain.policy = Some(if is_drop { Policy::Drop } else { Policy::Accept });
            }
            (attribute::USERDATA, value) => chain.comment = user_data::read_text(value, user_data::COMMENT),
            _ => {}
        }
    }
    Ok((of == table.name).then_some((name, chain)))
}

fn read_hook(value: &[u8], family: Family, chain: &mut Chain) -> Result<()> {
    use message::chain as attribute;
    for attribute in Attributes::within(value) {
        match attribute? {
            (attribute::HOOK_NUMBER, value) => {
                chain.hook = hook::name(family, u32::read(Some(value))?).map(str::to_owned);
            }
            (attribute::HOOK_PRIORITY, value) => {
                chain.priority = Some(Priority::of(u32::read(Some(value))?.cast_signed(), family));
            }
            // The kernel lists a single device in both.
            (attribute::HOOK_DEVICE, value) if chain.devices.is_empty() => chain.devices.push(text(value)),
            (attribute::HOOK_DEVICES, value) => {
                let devices = Attributes::within(value).map(|device| device.map(|(_, name)| text(name)));
                chain.devices = devices.collect::<Result<_>>()?;
            }
            _ => {}
        }
    }
    Ok(())
}

pub(crate) fn rule(message: &[u8]) -> Result<FoundRule> {
    let mut rule = FoundRule { chain: String::new(), handle: 0, expressions: Vec::new(), comment: None };
    for attribute in Attributes::behind(HEADER, message)? {
        match attribute? {
            (message::rule::CHAIN, value) => rule.chain = text(value),
            (message::rule::HANDLE, value) => rule.handle = u64::read(Some(value))?,
            (message::rule::EXPRESSIONS, value) => rule.expressions = value.to_vec(),
            (message::rule::USERDATA, value) => rule.comment = user_data::read_text(value, user_data::COMMENT),
            _ => {}
        }
    }
    Ok(rule)
}

impl FoundRule {
    /// Returns the statements of the rule. If one of them has no name here, the whole rule is raw.
    pub fn statements(&self, family: Family, sets: &Found) -> Result<Vec<Statement>> {
        let expressions = list::read(&self.expressions)?;
        let is_known = !expressions.iter().any(|expression| matches!(expression, Expression::Unknown(_)));
        let lifted = if is_known { lift(&expressions, family, sets) } else { None };
        let mut statements = lifted.unwrap_or_else(|| vec![Statement::Raw(Octets(self.expressions.clone()))]);
        statements.extend(self.comment.clone().map(Statement::Comment));
        Ok(statements)
    }
}

pub(crate) fn object(message: &[u8]) -> Result<FoundObject> {
    let mut found = FoundObject { name: String::new(), kind: 0, data: Vec::new(), comment: None };
    for attribute in Attributes::behind(HEADER, message)? {
        match attribute? {
            (message::object::NAME, value) => found.name = text(value),
            (message::object::KIND, value) => found.kind = u32::read(Some(value))?,
            (message::object::DATA, value) => found.data = value.to_vec(),
            (message::object::USERDATA, value) => found.comment = user_data::read_text(value, user_data::COMMENT),
            _ => {}
        }
    }
    Ok(found)
}

pub(crate) fn set(message: &[u8]) -> Result<SetHeader> {
    use message::set as attribute;
    let mut set = SetHeader {
        name: String::new(),
        flags: 0,
        key_type: 0,
        key_size: 0,
        data_type: None,
        data_size: 0,
        timeout: None,
        size: None,
        own: Vec::new(),
        object_kind: None,
        comment: None,
    };
    for attribute in Attributes::behind(HEADER, message)? {
        match attribute? {
            (attribute::NAME, value) => set.name = text(value),
            (attribute::FLAGS, value) => set.flags = u32::read(Some(value))?,
            (attribute::KEY_TYPE, value) => set.key_type = u32::read(Some(value))?,
            (attribute::KEY_LENGTH, value) => set.key_size = u32::read(Some(value))?,
            (attribute::DATA_TYPE, value) => set.data_type = Some(u32::read(Some(value))?),
            (attribute::DATA_LENGTH, value) => set.data_size = u32::read(Some(value))?,
            (attribute::TIMEOUT, value) => set.timeout = Some(u64::read(Some(value))?),
            (attribute::DESCRIPTION, value) => set.size = read_size(value)?,
            (attribute::OBJECT_TYPE, value) => set.object_kind = Some(u32::read(Some(value))?),
            (attribute::EXPRESSION, value) => set.own = vec![list::read_one(value)?],
            (attribute::EXPRESSIONS, value) => set.own = list::read(value)?,
            (attribute::USERDATA, value) => set.comment = user_data::read_text(value, attribute::COMMENT),
            _ => {}
        }
    }
    Ok(set)
}

fn read_size(value: &[u8]) -> Result<Option<u32>> {
    for attribute in Attributes::within(value) {
        if let (message::set::SIZE, value) = attribute? {
            return u32::read(Some(value)).map(Some);
        }
    }
    Ok(None)
}

impl SetHeader {
    /// Returns the set with its elements; `None` if its types have no name here.
    pub fn named(&self, found: &FoundSet) -> Option<Set> {
        let key = DataType::concatenated(self.key_type)?;
        let has_data = self.flags & (message::set::MAP | message::set::OBJECTS) != 0;
        let map = if has_data { Some(self.map_data()?) } else { None };
        let own = Own::lift_all(&self.own)?;
        let flags = [
            (SetFlag::Constant, message::set::CONSTANT),
            (SetFlag::Dynamic, message::set::DYNAMIC),
            (SetFlag::Interval, message::set::INTERVAL),
            (SetFlag::Timeout, message::set::WITH_TIMEOUT),
        ];
        let elements = found.intervals(&key).into_iter();
        let elements =
            elements.map(|(element, last)| written(found, element, last.as_deref(), &key, map.as_ref(), &own));
        Some(Set {
            elements: elements.collect::<Option<_>>()?,
            key: names_of(&key),
            data: map.map(|map| match map {
                MapData::Verdicts => MapTypes::Values(OneOrMore::One("verdict".to_owned())),
                MapData::Values(types) => MapTypes::Values(names_of(&types)),
                MapData::Intervals(types) => MapTypes::Intervals { interval: names_of(&types) },
                MapData::Objects(kind) => MapTypes::Values(OneOrMore::One(kind.name().to_owned())),
            }),
            flags: flags.iter().filter(|(_, bit)| self.flags & bit != 0).map(|(flag, _)| *flag).collect(),
            timeout: self.timeout,
            size: self.size,
            own,
            comment: self.comment.clone(),
        })
    }

    /// Whether rules use it by its name. The set of a `meter` is anonymous, but has one.
    pub fn has_name(&self) -> bool {
        self.flags & message::set::ANONYMOUS == 0 || self.flags & message::set::DYNAMIC != 0
    }

    /// Whether its elements can have counters: it says so, or rules add them.
    pub fn can_count(&self) -> bool {
        self.has_name() && (!self.own.is_empty() || self.flags & message::set::DYNAMIC != 0)
    }

    /// Returns what a map has for its keys; `None` if the types have no name here.
    fn map_data(&self) -> Option<MapData> {
        if let Some(kind) = self.object_kind {
            return ObjectKind::of(kind).map(MapData::Objects);
        }
        let number = self.data_type?;
        if number == message::set::VERDICTS {
            return Some(MapData::Verdicts);
        }
        let types = DataType::concatenated(number)?;
        [false, true]
            .into_iter()
            .map(|has_intervals| MapData::of(types.clone(), has_intervals))
            .find(|data| data.size() == self.data_size)
    }

    pub fn found(&self, elements: Vec<FoundElement>) -> FoundSet {
        FoundSet {
            // The set of a `meter` has a name, too.
            is_anonymous: self.flags & message::set::ANONYMOUS != 0 && self.flags & message::set::DYNAMIC == 0,
            has_intervals: self.flags & message::set::INTERVAL != 0,
            key_size: self.key_size as usize,
            data_size: self.data_size as usize,
            data_type: self.data_type,
            object_kind: self.object_kind,
            elements,
        }
    }
}

/// Returns the names of types.
fn names_of(types: &[&DataType]) -> OneOrMore {
    match types {
        [one] => OneOrMore::One(one.name.to_owned()),
        many => OneOrMore::More(many.iter().map(|data| data.name.to_owned()).collect()),
    }
}

fn written(
    found: &FoundSet,
    element: &FoundElement,
    last: Option<&[u8]>,
    key: &[&DataType],
    map: Option<&MapData>,
    own_of_all: &[Own],
) -> Option<SetElement> {
    let operand = found.operand(element, last, key)?;
    let (verdict, value) = match (map, &element.data) {
        (Some(MapData::Verdicts), Some(data)) => (Some(Verdict::of(data)?), None),
        (Some(map @ (MapData::Values(_) | MapData::Intervals(_))), Some(data)) => (None, Some(map.operand(data)?)),
        _ => (None, element.object.clone().map(Operand::Text)),
    };
    let own = Own::lift_all(&element.own)?;
    let detailed = DetailedElement {
        key: operand,
        verdict,
        value,
        own: if own == own_of_all { Vec::new() } else { own },
        timeout: element.timeout,
        expires: element.expires,
        comment: element.comment.clone(),
    };
    let has_details = detailed.verdict.is_some()
        || detailed.value.is_some()
        || !detailed.own.is_empty()
        || detailed.timeout.is_some()
        || detailed.expires.is_some()
        || detailed.comment.is_some();
    Some(if has_details { SetElement::Detailed(Box::new(detailed)) } else { SetElement::Key(detailed.key) })
}

/// Reads a message with elements of a set.
pub(crate) fn elements(message: &[u8]) -> Result<Vec<FoundElement>> {
    for attribute in Attributes::behind(HEADER, message)? {
        if let (message::elements::ELEMENTS, value) = attribute? {
            return Attributes::within(value)
                .map(|element| element.and_then(|(_, value)| found_element(value)))
                .collect();
        }
    }
    Ok(Vec::new())
}

fn found_element(value: &[u8]) -> Result<FoundElement> {
    let mut found = FoundElement::default();
    for attribute in Attributes::within(value) {
        match attribute? {
            (element::KEY, value) => found.key = Field::read(Some(value))?,
            (element::KEY_END, value) => found.key_end = Some(Field::read(Some(value))?),
            (element::DATA, value) => found.data = Some(Data::read(Some(value))?),
            (element::FLAGS, value) => found.flags = Field::read(Some(value))?,
            (element::TIMEOUT, value) => found.timeout = Some(Field::read(Some(value))?),
            (element::EXPIRATION, value) => found.expires = Some(Field::read(Some(value))?),
            (element::OBJECT, value) => found.object = Some(text(value)),
            (element::EXPRESSION, value) => found.own = vec![list::read_one(value)?],
            (element::EXPRESSIONS, value) => found.own = list::read(value)?,
            (element::USERDATA, value) => found.comment = user_data::read_text(value, 0),
            _ => {}
        }
    }
    Ok(found)
}

/// Reads the number of the current generation of all tables.
pub(crate) fn generation(message: &[u8]) -> Result<u32> {
    for attribute in Attributes::behind(HEADER, message)? {
        if let (message::GENERATION, value) = attribute? {
            return u32::read(Some(value));
        }
    }
    Err(Malformed)
}
