//! A statement as plain data: a word such as `"accept"`, or an object with one key, such as `{ "tcp dport": 22 }`.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error as _, MapAccess, Visitor},
    ser::SerializeMap,
};

use super::{
    ConnectionCount, Destination, ElementOf, ElementOperation, Limit, Log, NewValue, ObjectRef, Queue, Quota, Synproxy,
    Translation, counter::is_default,
};
use crate::{
    firewall::{
        matching::{operand::Operand, selectors::Selectors, test::Test, verdict::Verdict},
        object::ObjectKind,
    },
    octets::Octets,
};

/// A match, or what happens to packets that matched.
#[derive(Clone, Debug, PartialEq)]
pub enum Statement {
    Match(Selectors, Test),
    Verdict(Verdict),
    Comment(String),
    Counter,
    /// A counter or another object of the table.
    Object(ObjectKind, ObjectRef),
    Quota(Quota),
    Limit(Limit),
    Connections(ConnectionCount),
    Log(Log),
    /// The answer to the sender; `None` for that of the family.
    Reject(Option<String>),
    Masquerade(Translation),
    Redirect(Translation),
    Snat(Translation),
    Dnat(Translation),
    Tproxy(Translation),
    Notrack,
    /// What is changed, and its new value.
    Set(Selectors, NewValue),
    /// An element of a set of the table.
    Element(ElementOperation, ElementOf),
    Duplicate(Destination),
    Forward(Destination),
    /// Removes an option of TCP.
    Reset(String),
    Queue(Queue),
    Synproxy(Synproxy),
    /// The flow table to which the connection is added.
    AddFlow(String),
    /// Expressions in the format of the kernel, of which this crate does not know all.
    Raw(Octets),
}

/// The options of a statement, or an object of the table. That is tried first: options that may all be absent would take its map.
#[derive(Deserialize)]
#[serde(untagged)]
enum OrObject<T> {
    Object(ObjectRef),
    Options(T),
}

struct StatementVisitor;

impl<'de> Visitor<'de> for StatementVisitor {
    type Value = Statement;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a statement")
    }

    fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<Statement, E> {
        Ok(match word {
            "accept" => Statement::Verdict(Verdict::Accept),
            "drop" => Statement::Verdict(Verdict::Drop),
            "return" => Statement::Verdict(Verdict::Return),
            "continue" => Statement::Verdict(Verdict::Continue),
            "counter" => Statement::Counter,
            "log" => Statement::Log(Log::default()),
            "reject" => Statement::Reject(None),
            "masquerade" => Statement::Masquerade(Translation::default()),
            "redirect" => Statement::Redirect(Translation::default()),
            "notrack" => Statement::Notrack,
            "queue" => Statement::Queue(Queue::default()),
            "synproxy" => Statement::Synproxy(Synproxy::default()),
            _ => return Err(E::custom("unknown statement")),
        })
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Statement, M::Error> {
        let key: String = map.next_key()?.ok_or_else(|| M::Error::custom("a statement without a key"))?;
        Ok(match key.as_str() {
            "jump" => Statement::Verdict(Verdict::Jump(map.next_value()?)),
            "goto" => Statement::Verdict(Verdict::Goto(map.next_value()?)),
            "comment" => Statement::Comment(map.next_value()?),
            "counter" => Statement::Object(ObjectKind::Counter, map.next_value()?),
            "quota" => match map.next_value()? {
                OrObject::Object(object) => Statement::Object(ObjectKind::Quota, object),
                OrObject::Options(quota) => Statement::Quota(quota),
            },
            "limit" => match map.next_value()? {
                OrObject::Object(object) => Statement::Object(ObjectKind::Limit, object),
                OrObject::Options(limit) => Statement::Limit(limit),
            },
            "ct count" => Statement::Connections(map.next_value()?),
            "reset" => Statement::Reset(map.next_value()?),
            "log" => Statement::Log(map.next_value()?),
            "reject" => Statement::Reject(Some(map.next_value()?)),
            "masquerade" => Statement::Masquerade(map.next_value()?),
            "redirect" => Statement::Redirect(map.next_value()?),
            "snat" => Statement::Snat(map.next_value()?),
            "dnat" => Statement::Dnat(map.next_value()?),
            "tproxy" => Statement::Tproxy(map.next_value()?),
            "set" => set(map.next_value()?)?,
            "add" => Statement::Element(ElementOperation::Add, map.next_value()?),
            "update" => Statement::Element(ElementOperation::Update, map.next_value()?),
            "delete" => Statement::Element(ElementOperation::Delete, map.next_value()?),
            "dup" => Statement::Duplicate(map.next_value()?),
            "fwd" => Statement::Forward(map.next_value()?),
            "queue" => Statement::Queue(map.next_value()?),
            "synproxy" => match map.next_value()? {
                OrObject::Object(object) => Statement::Object(ObjectKind::Synproxy, object),
                OrObject::Options(synproxy) => Statement::Synproxy(synproxy),
            },
            "flow add" => Statement::AddFlow(map.next_value()?),
            "raw" => Statement::Raw(map.next_value()?),
            selectors => {
                let selectors = selectors.parse().map_err(M::Error::custom)?;
                Statement::Match(selectors, map.next_value()?)
            }
        })
    }
}

/// An object with one key, which is what is changed.
struct Change(String, NewValue);

impl<'de> Deserialize<'de> for Change {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ChangeVisitor;

        impl<'de> Visitor<'de> for ChangeVisitor {
            type Value = Change;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object with one key")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Change, M::Error> {
                let (key, value) = map.next_entry()?.ok_or_else(|| M::Error::custom("an empty object"))?;
                Ok(Change(key, value))
            }
        }

        deserializer.deserialize_map(ChangeVisitor)
    }
}

fn set<E: serde::de::Error>(Change(key, value): Change) -> Result<Statement, E> {
    let (kind, value) = match (ObjectKind::set_by(&key), value) {
        (Some(kind), NewValue::Constant(Operand::Text(name))) => {
            return Ok(Statement::Object(kind, ObjectRef::Named(name)));
        }
        (Some(kind), NewValue::Mapped(mapped)) => return Ok(Statement::Object(kind, ObjectRef::Mapped(mapped))),
        (kind, value) => (kind, value),
    };
    if kind.is_some_and(|kind| kind != ObjectKind::Secmark) {
        return Err(E::custom("the name of an object of the table is needed"));
    }
    Ok(Statement::Set(key.parse().map_err(E::custom)?, value))
}

impl<'de> Deserialize<'de> for Statement {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StatementVisitor)
    }
}

impl Serialize for Statement {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Verdict(verdict) => verdict.serialize(serializer),
            Self::Counter => serializer.serialize_str("counter"),
            Self::Notrack => serializer.serialize_str("notrack"),
            Self::Reject(None) => serializer.serialize_str("reject"),
            Self::Reject(Some(answer)) => entry(serializer, "reject", answer),
            Self::Log(log) => word_or_entry(serializer, "log", log),
            Self::Masquerade(translation) => word_or_entry(serializer, "masquerade", translation),
            Self::Redirect(translation) => word_or_entry(serializer, "redirect", translation),
            Self::Queue(queue) => word_or_entry(serializer, "queue", queue),
            Self::Synproxy(synproxy) => word_or_entry(serializer, "synproxy", synproxy),
            Self::Match(selectors, test) => entry(serializer, &selectors.to_string(), test),
            Self::Comment(comment) => entry(serializer, "comment", comment),
            Self::Object(kind, object) => match kind.target() {
                Some(target) => entry(serializer, "set", &BTreeMap::from([(target, object)])),
                None => entry(serializer, kind.name(), object),
            },
            Self::AddFlow(table) => entry(serializer, "flow add", table),
            Self::Connections(count) => entry(serializer, "ct count", count),
            Self::Reset(option) => entry(serializer, "reset", option),
            Self::Quota(quota) => entry(serializer, "quota", quota),
            Self::Limit(limit) => entry(serializer, "limit", limit),
            Self::Snat(translation) => entry(serializer, "snat", translation),
            Self::Dnat(translation) => entry(serializer, "dnat", translation),
            Self::Tproxy(translation) => entry(serializer, "tproxy", translation),
            Self::Element(operation, element) => entry(serializer, operation.name(), element),
            Self::Duplicate(destination) => entry(serializer, "dup", destination),
            Self::Forward(destination) => entry(serializer, "fwd", destination),
            Self::Raw(octets) => entry(serializer, "raw", octets),
            Self::Set(selectors, value) => {
                let change = std::collections::BTreeMap::from([(selectors.to_string(), value)]);
                entry(serializer, "set", &change)
            }
        }
    }
}

fn entry<S: Serializer, T: Serialize + ?Sized>(serializer: S, key: &str, value: &T) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(1))?;
    map.serialize_entry(key, value)?;
    map.end()
}

/// A statement without options is a word.
fn word_or_entry<S: Serializer, T: Serialize + Default + PartialEq>(
    serializer: S,
    word: &str,
    options: &T,
) -> Result<S::Ok, S::Error> {
    if is_default(options) { serializer.serialize_str(word) } else { entry(serializer, word, options) }
}
