//! Writes a table as the messages of a batch.

use netlink_packet_core::{NLM_F_APPEND, NLM_F_CREATE};

use super::{
    expression::{
        action::{counter::Counter, quota::Quota},
        field::Field,
        list,
    },
    hook,
    matching::{context::Context, data_type::DataType, lower::Lowering},
    message::object,
    message::{self, SUBSYSTEM, kind},
    place::{Place, RulePlace, named},
    set::{
        anonymous::{AnonymousSet, AnonymousSets},
        element::{Element, Storage, sort_intervals, write_some},
    },
    statement::{Statement, lower},
    table::{
        Chain, DetailedElement, NamedCounter, NamedQuota, OneOrMore, Policy, Set, SetElement, SetFlag, Table, TableRef,
    },
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
        self.add_objects(table);
        for (name, chain) in &table.chains {
            self.add_chain(table, name, chain)?;
        }
        let mut sets = AnonymousSets::beside(named_intervals(table));
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

    fn add_objects(&mut self, table: &Table) {
        for (name, counter) in &table.counters {
            self.add_counter(table, name, counter);
        }
        for (name, quota) in &table.quotas {
            self.add_quota(table, name, quota);
        }
    }

    pub fn add_counter(&mut self, table: &Table, name: &str, counter: &NamedCounter) {
        self.add_object(table, name, object::COUNTER, counter.comment.as_ref(), |writer| {
            list::write_fields(&Counter::default().into(), writer);
        });
    }

    pub fn add_quota(&mut self, table: &Table, name: &str, quota: &NamedQuota) {
        let expression: Quota = quota.quota.lower();
        self.add_object(table, name, object::QUOTA, quota.comment.as_ref(), |writer| {
            list::write_fields(&expression.into(), writer);
        });
    }

    fn add_object(
        &mut self,
        table: &Table,
        name: &str,
        object: u32,
        comment: Option<&String>,
        data: impl FnOnce(&mut Writer),
    ) {
        let place = Place::Object(name.to_owned());
        self.add(place, kind::NEW_OBJECT, NLM_F_CREATE, table.family.number(), |writer| {
            writer.put_text(message::object::TABLE, &table.name);
            writer.put_text(message::object::NAME, name);
            writer.put_u32(message::object::KIND, object);
            writer.nest(message::object::DATA, data);
            put_comment(writer, message::object::USERDATA, user_data::COMMENT, comment);
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
        sets: &mut AnonymousSets,
        position: RulePosition,
    ) -> Result<()> {
        let context = Context::new(table.family);
        let mut lowering = Lowering { context, expressions: Vec::new(), sets };
        let mut place = RulePlace { chain: chain.to_owned(), number, ends: Vec::new() };
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
            has_verdicts: set.has_verdicts,
            size: Some(set.elements.len() as u32).filter(|_| !set.has_intervals),
            timeout: None,
            comment: None,
        };
        self.write_set(table, place.clone(), &written);
        self.add_elements(&table.reference(), place, set.name(), Some(set.id), &set.elements, set.storage());
    }

    pub fn add_set(&mut self, table: &Table, name: &str, set: &Set) -> Result<()> {
        let place = Place::Set(name.to_owned());
        let key = set.key_types().map_err(|error| named(error, &place))?;
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
            has_verdicts: set.data.is_some(),
            size: set.size,
            timeout: set.timeout,
            comment: set.comment.as_ref(),
        };
        self.write_set(table, place.clone(), &written);
        let elements = set.elements(&set.elements).map_err(|error| named(error, &place))?;
        self.add_elements(&table.reference(), &place, name, None, &elements, set.storage(key.len()));
        Ok(())
    }

    fn write_set(&mut self, table: &Table, place: Place, set: &WrittenSet<'_>) {
        use message::set as attribute;
        let mut flags = set.flags + u32::from(set.has_verdicts) * attribute::MAP;
        let has_fields = set.key.len() > 1 && flags & attribute::INTERVAL != 0;
        flags |= u32::from(has_fields) * attribute::CONCATENATED;
        self.add(place, kind::NEW_SET, NLM_F_CREATE, table.family.number(), |writer| {
            writer.put_text(attribute::TABLE, &table.name);
            writer.put_text(attribute::NAME, set.name);
            writer.put_u32(attribute::FLAGS, flags);
            writer.put_u32(attribute::KEY_TYPE, set.key.iter().fold(0, |all, data| all << 6 | data.id));
            writer.put_u32(attribute::KEY_LENGTH, key_length(set.key) as u32);
            if set.has_verdicts {
                writer.put_u32(attribute::DATA_TYPE, attribute::VERDICTS);
                writer.put_u32(attribute::DATA_LENGTH, 16);
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
    has_verdicts: bool,
    size: Option<u32>,
    timeout: Option<u64>,
    comment: Option<&'a String>,
}

/// Where a rule is added to its chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RulePosition {
    Last,
    /// Before the rule with this handle.
    Before(u64),
}

/// Returns the names of the sets whose keys are intervals.
pub(crate) fn named_intervals(table: &Table) -> Vec<String> {
    let sets = table.sets.iter().filter(|(_, set)| set.flags.contains(&SetFlag::Interval));
    sets.map(|(name, _)| name.clone()).collect()
}

/// Returns the size of a key in bytes.
pub(crate) fn key_length(key: &[&DataType]) -> usize {
    key.iter().map(|data| padded(data, key.len())).sum()
}

/// The values of a concatenation start at multiples of four bytes.
fn padded(data: &DataType, count: usize) -> usize {
    if count == 1 { data.size } else { data.size.next_multiple_of(4) }
}

fn put_fields(writer: &mut Writer, key: &[&DataType]) {
    for data in key {
        writer.nest(1, |writer| writer.put_u32(message::set::FIELD_LENGTH, data.size as u32));
    }
}

fn set_user_data(set: &WrittenSet<'_>) -> Vec<u8> {
    let is_host = matches!(set.key, [one] if one.order == super::matching::data_type::Order::Host);
    let order = if is_host { HOST } else { NETWORK };
    let mut data = user_data::of(message::set::KEY_BYTE_ORDER, &order.to_ne_bytes());
    if let Some(comment) = set.comment {
        data.extend(user_data::of_text(message::set::COMMENT, comment));
    }
    data
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
        let names = match &self.key {
            OneOrMore::One(name) => std::slice::from_ref(name),
            OneOrMore::More(names) => names.as_slice(),
        };
        let type_of = |name: &String| {
            DataType::named(name).ok_or_else(|| Error::InvalidArgument(format!("'{name}' is not a type of values")))
        };
        names.iter().map(type_of).collect()
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
        let element = |element: &SetElement| match element {
            SetElement::Key(operand) => Element::of(operand, &key, has_intervals),
            SetElement::Detailed(detailed) => {
                let DetailedElement { key: operand, verdict, timeout, expires, comment } = detailed.as_ref();
                let element = Element::of(operand, &key, has_intervals)?;
                let data = verdict.as_ref().map(super::matching::verdict::Verdict::data);
                Ok(Element { data, timeout: *timeout, expires: *expires, comment: comment.clone(), ..element })
            }
        };
        let mut elements: Vec<_> = elements.iter().map(element).collect::<Result<_>>()?;
        if key.len() == 1 {
            sort_intervals(&mut elements)?;
        }
        Ok(elements)
    }
}
