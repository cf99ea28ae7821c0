//! Writes a table as the messages of a batch.

use netlink_packet_core::{NLM_F_APPEND, NLM_F_CREATE};

use super::{
    expression::{data::Data, field::Field, list},
    flow_table::FlowTable,
    hook,
    matching::{context::Context, data_type::DataType, lower::Lowering, operand::Operand},
    message::{self, SUBSYSTEM, kind},
    object::{Definition, ObjectKind},
    place::{Place, RulePlace, named},
    set::{
        anonymous::{AnonymousSet, AnonymousSets, NamedSets},
        element::{Element, Storage, write_some},
        map_data::MapData,
        order::sort_intervals,
    },
    statement::{Own, Statement, lower},
    table::{Chain, DetailedElement, MapTypes, OneOrMore, Policy, Set, SetElement, SetFlag, Table, TableRef},
    user_data,
};
use crate::{
    error::{Error, Result},
    netlink::{nfnetlink::batch::Batch, nfnetlink::writer::Writer},
};

/// The order of bytes in the user data of a set, as nft(8) has it.
const HOST: u32 = 1;
const NETWORK: u32 = 2;

/// A batch, and what each of its messages is about.
#[derive(Debug)]
pub(crate) struct TableBatch {
    pub batch: Batch,
    pub places: Vec<Place>,
}

impl TableBatch {
    pub fn begin(generation: Option<u32>) -> Self {
        Self { batch: Batch::begin(SUBSYSTEM, generation), places: vec![Place::Batch] }
    }

    pub fn add(&mut self, place: Place, kind: u16, flags: u16, family: u8, attributes: impl FnOnce(&mut Writer)) {
        self.batch.add(kind, flags, family, attributes);
        self.places.push(place);
    }

    /// Whether the batch changes nothing.
    pub fn is_empty(&self) -> bool {
        self.places.len() == 1
    }

    /// Ends the batch, if all of it could be written.
    pub fn end(mut self) -> Result<Self> {
        self.batch.end();
        if self.batch.is_too_long() {
            return Err(Error::OutOfRange(
                "a rule or a text is longer than 64 KiB, the most that the kernel takes".into(),
            ));
        }
        Ok(self)
    }

    /// Deletes a table that exists.
    pub fn delete_table(&mut self, table: &TableRef) {
        self.add(Place::Table, kind::DELETE_TABLE, 0, table.family.number(), |writer| {
            writer.put_text(message::table::NAME, &table.name);
        });
    }

    /// Adds a table, if there is none with this name, without what is in it.
    pub fn add_empty_table(&mut self, table: &TableRef) {
        self.add(Place::Table, kind::NEW_TABLE, NLM_F_CREATE, table.family.number(), |writer| {
            writer.put_text(message::table::NAME, &table.name);
        });
    }

    /// Adds a table that does not exist.
    pub fn add_table(&mut self, table: &Table) -> Result<()> {
        self.update_table(table);
        for (name, object) in table.objects() {
            self.add_object(table, name, object);
        }
        for (name, flow_table) in &table.flow_tables {
            self.add_flow_table(table, name, flow_table);
        }
        for (name, chain) in &table.chains {
            self.add_chain(table, name, chain)?;
        }
        let named = named_sets(table)?;
        let mut sets = AnonymousSets::beside(&named);
        for (name, set) in &table.sets {
            self.add_set(table, name, set)?;
        }
        for (name, chain) in &table.chains {
            for (number, rule) in chain.rules.iter().enumerate() {
                self.add_rule(table, name, number, rule, &mut sets, RulePosition::Last)?;
            }
        }
        Ok(())
    }

    /// Adds a table, or sets whether one that exists is dormant.
    pub fn update_table(&mut self, table: &Table) {
        self.add(Place::Table, kind::NEW_TABLE, NLM_F_CREATE, table.family.number(), |writer| {
            writer.put_text(message::table::NAME, &table.name);
            writer.put_u32(message::table::FLAGS, u32::from(table.dormant) * message::table::DORMANT);
            put_comment(writer, message::table::USERDATA, user_data::COMMENT, table.comment.as_ref());
        });
    }

    pub fn add_object(&mut self, table: &Table, name: &str, object: Definition<'_>) {
        self.add(object.place(name), kind::NEW_OBJECT, NLM_F_CREATE, table.family.number(), |writer| {
            writer.put_text(message::object::TABLE, &table.name);
            writer.put_text(message::object::NAME, name);
            writer.put_u32(message::object::KIND, object.kind().number());
            writer.nest(message::object::DATA, |writer| object.write(writer));
            put_comment(writer, message::object::USERDATA, user_data::COMMENT, object.comment());
        });
    }

    fn add_flow_table(&mut self, table: &Table, name: &str, flow_table: &FlowTable) {
        let place = Place::FlowTable(name.to_owned());
        self.add(place, kind::NEW_FLOW_TABLE, NLM_F_CREATE, table.family.number(), |writer| {
            writer.put_text(message::flow_table::TABLE, &table.name);
            writer.put_text(message::flow_table::NAME, name);
            flow_table.write(writer);
        });
    }

    pub fn add_chain(&mut self, table: &Table, name: &str, chain: &Chain) -> Result<()> {
        use message::chain as attribute;
        let hook = hook_of(table, chain)?;
        let place = Place::Chain(name.to_owned());
        self.add(place, kind::NEW_CHAIN, NLM_F_CREATE, table.family.number(), |writer| {
            writer.put_text(attribute::TABLE, &table.name);
            writer.put_text(attribute::NAME, name);
            if let Some((number, priority)) = hook {
                writer.nest(attribute::HOOK, |writer| {
                    writer.put_u32(attribute::HOOK_NUMBER, number);
                    writer.put_u32(attribute::HOOK_PRIORITY, priority.cast_unsigned());
                    put_devices(writer, &chain.devices);
                });
                writer.put_text(attribute::TYPE, chain.kind.as_deref().unwrap_or("filter"));
            }
            if let Some(policy) = chain.policy {
                writer.put_u32(attribute::POLICY, u32::from(policy == Policy::Accept));
            }
            put_comment(writer, attribute::USERDATA, user_data::COMMENT, chain.comment.as_ref());
        });
        Ok(())
    }

    pub fn add_rule(
        &mut self,
        table: &Table,
        chain: &str,
        number: usize,
        rule: &[Statement],
        sets: &mut AnonymousSets<'_>,
        position: RulePosition,
    ) -> Result<()> {
        let context = Context::new(table.family);
        let mut lowering = Lowering { context, expressions: Vec::new(), sets };
        let is_raw = rule.iter().any(|statement| matches!(statement, Statement::Raw(_)));
        let mut place = RulePlace { chain: chain.to_owned(), number, ends: Vec::new(), is_raw };
        for (position, statement) in rule.iter().enumerate() {
            lower(statement, &mut lowering).map_err(|error| named(error, place.statement(position)))?;
            place.ends.push(lowering.expressions.len());
        }
        let expressions = lowering.expressions;
        let place = Place::Rule(place);
        for set in std::mem::take(&mut sets.new) {
            self.add_anonymous(table, &place, &set);
        }
        let comment = rule.iter().find_map(|statement| match statement {
            Statement::Comment(comment) => Some(comment),
            _ => None,
        });
        let flags = match position {
            RulePosition::Last => NLM_F_CREATE | NLM_F_APPEND,
            RulePosition::Before(_) => NLM_F_CREATE,
        };
        self.add(place, kind::NEW_RULE, flags, table.family.number(), |writer| {
            writer.put_text(message::rule::TABLE, &table.name);
            writer.put_text(message::rule::CHAIN, chain);
            writer.nest(message::rule::EXPRESSIONS, |writer| list::write(&expressions, writer));
            if let RulePosition::Before(handle) = position {
                writer.put(message::rule::POSITION, &handle.to_be_bytes());
            }
            put_comment(writer, message::rule::USERDATA, user_data::COMMENT, comment);
        });
        Ok(())
    }

    fn add_anonymous(&mut self, table: &Table, place: &Place, set: &AnonymousSet) {
        let flags = message::set::ANONYMOUS | message::set::CONSTANT;
        let written = WrittenSet {
            name: set.name(),
            id: Some(set.id),
            key: &set.key,
            flags: flags + u32::from(set.has_intervals) * message::set::INTERVAL,
            data: set.data.as_ref(),
            size: Some(set.elements.len() as u32).filter(|_| !set.has_intervals),
            timeout: None,
            own: &[],
            comment: None,
        };
        self.write_set(table, place.clone(), &written);
        self.add_elements(&table.reference(), place, set.name(), Some(set.id), &set.elements, set.storage());
    }

    pub fn add_set(&mut self, table: &Table, name: &str, set: &Set) -> Result<()> {
        let place = Place::Set(name.to_owned());
        let key = set.key_types().map_err(|error| named(error, &place))?;
        let data = set.map_data().map_err(|error| named(error, &place))?;
        let flags = [
            (SetFlag::Constant, message::set::CONSTANT),
            (SetFlag::Dynamic, message::set::DYNAMIC),
            (SetFlag::Interval, message::set::INTERVAL),
            (SetFlag::Timeout, message::set::WITH_TIMEOUT),
        ];
        let written = WrittenSet {
            name,
            id: None,
            key: &key,
            flags: flags.iter().filter(|(flag, _)| set.flags.contains(flag)).map(|(_, bit)| bit).sum(),
            data: data.as_ref(),
            size: set.size,
            timeout: set.timeout,
            own: &set.own,
            comment: set.comment.as_ref(),
        };
        self.write_set(table, place.clone(), &written);
        let elements = set.elements(&set.elements).map_err(|error| named(error, &place))?;
        self.add_elements(&table.reference(), &place, name, None, &elements, set.storage(key.len()));
        Ok(())
    }

    fn write_set(&mut self, table: &Table, place: Place, set: &WrittenSet<'_>) {
        use message::set as attribute;
        let mut flags = set.flags;
        match set.data {
            None => {}
            Some(MapData::Objects(_)) => flags |= attribute::OBJECTS,
            Some(_) => flags |= attribute::MAP,
        }
        let has_fields = set.key.len() > 1 && flags & attribute::INTERVAL != 0;
        flags |= u32::from(has_fields) * attribute::CONCATENATED;
        self.add(place, kind::NEW_SET, NLM_F_CREATE, table.family.number(), |writer| {
            writer.put_text(attribute::TABLE, &table.name);
            writer.put_text(attribute::NAME, set.name);
            writer.put_u32(attribute::FLAGS, flags);
            writer.put_u32(attribute::KEY_TYPE, DataType::numbers(set.key));
            writer.put_u32(attribute::KEY_LENGTH, DataType::size_of(set.key) as u32);
            if let Some(MapData::Objects(kind)) = set.data {
                writer.put_u32(attribute::OBJECT_TYPE, kind.number());
            } else if let Some(data) = set.data {
                writer.put_u32(attribute::DATA_TYPE, data.number());
                writer.put_u32(attribute::DATA_LENGTH, data.size());
            }
            // The kernel requires a number. It only compares those of one batch.
            writer.put_u32(attribute::ID, set.id.unwrap_or(u32::MAX));
            set.timeout.write(attribute::TIMEOUT, writer);
            if has_fields || set.size.is_some() {
                writer.nest(attribute::DESCRIPTION, |writer| {
                    set.size.write(attribute::SIZE, writer);
                    if has_fields {
                        writer.nest(attribute::CONCAT, |writer| put_fields(writer, set.key));
                    }
                });
            }
            let own: Vec<_> = set.own.iter().map(Own::lower).collect();
            let (one, several) = list::nested(&own);
            one.write(attribute::EXPRESSION, writer);
            several.write(attribute::EXPRESSIONS, writer);
            writer.put(attribute::USERDATA, &set_user_data(set));
        });
    }

    fn add_elements(
        &mut self,
        table: &TableRef,
        place: &Place,
        set: &str,
        id: Option<u32>,
        elements: &[Element],
        storage: Storage,
    ) {
        self.change_elements(ElementChange::Add, table, place, set, id, elements, storage, true);
    }

    /// Adds or deletes elements of a set, in as many messages as they need. `is_new` says whether the set has none yet.
    #[expect(clippy::too_many_arguments, reason = "they are the parts of the messages")]
    pub fn change_elements(
        &mut self,
        change: ElementChange,
        table: &TableRef,
        place: &Place,
        set: &str,
        id: Option<u32>,
        elements: &[Element],
        storage: Storage,
        is_new: bool,
    ) {
        let (kind, flags) = match change {
            ElementChange::Add => (kind::NEW_ELEMENTS, NLM_F_CREATE),
            ElementChange::Delete => (kind::DELETE_ELEMENTS, 0),
        };
        let mut rest = elements;
        while !rest.is_empty() {
            let is_first = is_new && rest.len() == elements.len();
            let mut written = 0;
            self.add(place.clone(), kind, flags, table.family.number(), |writer| {
                writer.put_text(message::elements::TABLE, &table.name);
                writer.put_text(message::elements::SET, set);
                id.write(message::elements::SET_ID, writer);
                writer.nest(message::elements::ELEMENTS, |writer| {
                    written = write_some(rest, storage, is_first, writer);
                });
            });
            rest = rest.get(written..).unwrap_or_default();
        }
    }
}

/// What happens to elements of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ElementChange {
    Add,
    Delete,
}

struct WrittenSet<'a> {
    name: &'a str,
    id: Option<u32>,
    key: &'a [&'static DataType],
    flags: u32,
    data: Option<&'a MapData>,
    size: Option<u32>,
    timeout: Option<u64>,
    own: &'a [Own],
    comment: Option<&'a String>,
}

/// Where a rule is added to its chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RulePosition {
    Last,
    /// Before the rule with this handle.
    Before(u64),
}

/// Returns what rules have to know about the sets of a table.
pub(crate) fn named_sets(table: &Table) -> Result<NamedSets> {
    let mut sets = NamedSets::default();
    for (name, set) in &table.sets {
        let data = set.map_data().map_err(|error| named(error, Place::Set(name.clone())))?;
        let has_intervals = set.flags.contains(&SetFlag::Interval);
        sets.add(name, has_intervals, data);
    }
    Ok(sets)
}

fn put_fields(writer: &mut Writer, key: &[&DataType]) {
    for data in key {
        writer.nest(1, |writer| writer.put_u32(message::set::FIELD_LENGTH, data.size as u32));
    }
}

fn set_user_data(set: &WrittenSet<'_>) -> Vec<u8> {
    let mut data = user_data::of(message::set::KEY_BYTE_ORDER, &byte_order(set.key).to_ne_bytes());
    if let Some(MapData::Values(types) | MapData::Intervals(types)) = set.data {
        data.extend(user_data::of(message::set::DATA_BYTE_ORDER, &byte_order(types).to_ne_bytes()));
    }
    if let Some(MapData::Intervals(_)) = set.data {
        data.extend(user_data::of(message::set::DATA_INTERVAL, &1_u32.to_ne_bytes()));
    }
    if let Some(comment) = set.comment {
        data.extend(user_data::of_text(message::set::COMMENT, comment));
    }
    data
}

fn byte_order(types: &[&DataType]) -> u32 {
    let is_host = matches!(types, [one] if one.order == super::matching::data_type::Order::Host);
    if is_host { HOST } else { NETWORK }
}

fn put_comment(writer: &mut Writer, attribute: u16, kind: u8, comment: Option<&String>) {
    if let Some(comment) = comment {
        writer.put(attribute, &user_data::of_text(kind, comment));
    }
}

fn put_devices(writer: &mut Writer, devices: &[String]) {
    match devices {
        [] => {}
        [one] => writer.put_text(message::chain::HOOK_DEVICE, one),
        many => writer.nest(message::chain::HOOK_DEVICES, |writer| {
            for device in many {
                writer.put_text(message::chain::DEVICE_NAME, device);
            }
        }),
    }
}

/// Returns the number of the hook and the priority of a base chain.
pub(crate) fn hook_of(table: &Table, chain: &Chain) -> Result<Option<(u32, i32)>> {
    let Some(name) = &chain.hook else { return Ok(None) };
    let family = table.family;
    let number = hook::number(family, name)
        .ok_or_else(|| Error::InvalidArgument(format!("the family {} has no hook '{name}'", family.name())))?;
    let priority = match &chain.priority {
        None => 0,
        Some(priority) => priority.number(family).ok_or_else(|| {
            Error::InvalidArgument(format!("{priority:?} is not a priority of the family {}", family.name()))
        })?,
    };
    Ok(Some((number, priority)))
}

impl Table {
    pub fn reference(&self) -> TableRef {
        TableRef { family: self.family, name: self.name.clone() }
    }
}

impl Set {
    pub(crate) fn key_types(&self) -> Result<Vec<&'static DataType>> {
        types_of(&self.key)
    }

    /// Returns what a map has for its keys; `None` for a set.
    pub(crate) fn map_data(&self) -> Result<Option<MapData>> {
        Ok(match &self.data {
            None => None,
            Some(MapTypes::Values(OneOrMore::One(name))) if name == "verdict" => Some(MapData::Verdicts),
            Some(MapTypes::Intervals { interval }) => Some(MapData::Intervals(types_of(interval)?)),
            Some(MapTypes::Values(names)) => match object_kind(names) {
                Some(kind) => Some(MapData::Objects(kind)),
                None => Some(MapData::Values(types_of(names)?)),
            },
        })
    }

    pub(crate) fn storage(&self, fields: usize) -> Storage {
        match (self.flags.contains(&SetFlag::Interval), fields) {
            (false, _) => Storage::Keys,
            (true, 1) => Storage::Bounds,
            (true, _) => Storage::Concatenations,
        }
    }

    /// Returns elements as the kernel gets them.
    pub(crate) fn elements(&self, elements: &[SetElement]) -> Result<Vec<Element>> {
        let key = self.key_types()?;
        let has_intervals = self.flags.contains(&SetFlag::Interval);
        let map = self.map_data()?;
        let element = |element: &SetElement| match element {
            SetElement::Key(operand) => Element::of(operand, &key, has_intervals),
            SetElement::Detailed(detailed) => {
                let DetailedElement { key: operand, timeout, expires, comment, .. } = detailed.as_ref();
                let element = Element::of(operand, &key, has_intervals)?;
                let (data, object) = data_of(detailed, map.as_ref())?;
                let own = detailed.own.iter().map(Own::lower).collect();
                Ok(Element {
                    data,
                    object,
                    own,
                    timeout: *timeout,
                    expires: *expires,
                    comment: comment.clone(),
                    ..element
                })
            }
        };
        let mut elements: Vec<_> = elements.iter().map(element).collect::<Result<_>>()?;
        if let [one] = key.as_slice() {
            sort_intervals(&mut elements, one, has_intervals)?;
        }
        Ok(elements)
    }
}

fn object_kind(names: &OneOrMore) -> Option<ObjectKind> {
    match names {
        OneOrMore::One(name) => ObjectKind::named(name),
        OneOrMore::More(_) => None,
    }
}

fn types_of(names: &OneOrMore) -> Result<Vec<&'static DataType>> {
    let names = match names {
        OneOrMore::One(name) => std::slice::from_ref(name),
        OneOrMore::More(names) => names.as_slice(),
    };
    let type_of = |name: &String| {
        DataType::named(name).ok_or_else(|| Error::InvalidArgument(format!("'{name}' is not a type of values")))
    };
    names.iter().map(type_of).collect()
}

/// Returns what a map has for the key of an element. Elements that are deleted may leave it out.
fn data_of(element: &DetailedElement, map: Option<&MapData>) -> Result<(Option<Data>, Option<String>)> {
    let wrong = |text: &str| Err(Error::InvalidArgument(format!("{}: {text}", element.key)));
    match (map, &element.verdict, &element.value) {
        (_, None, None) => Ok((None, None)),
        (Some(MapData::Verdicts), Some(verdict), None) => Ok((Some(verdict.data()), None)),
        (Some(map @ (MapData::Values(_) | MapData::Intervals(_))), None, Some(value)) => Ok((map.value(value)?, None)),
        (Some(MapData::Objects(_)), None, Some(Operand::Text(name))) => Ok((None, Some(name.clone()))),
        (Some(MapData::Objects(_)), ..) => wrong("elements of this map have the name of an object as their 'value'"),
        (None, ..) => wrong("the set is not a map, so its elements have no 'verdict' and no 'value'"),
        (Some(MapData::Verdicts), ..) => wrong("elements of this map have a 'verdict' instead of a 'value'"),
        (Some(MapData::Values(_) | MapData::Intervals(_)), ..) => {
            wrong("elements of this map have a 'value' instead of a 'verdict'")
        }
    }
}
