//! Tables as plain data.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};
use serde_with::{Map, serde_as};

use super::{
    family::Family,
    flow_table::FlowTable,
    hook::Priority,
    matching::{
        operand::{Operand, OperandVisitor},
        verdict::Verdict,
    },
    object::{Expectation, Helper, NamedCounter, NamedLimit, NamedQuota, NamedSynproxy, Secmark, Timeout},
    statement::{Own, Statement},
};

/// Which table: names are unique within a family.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TableRef {
    pub family: Family,
    pub name: String,
}

/// A table with all that is in it.
#[serde_as]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Table {
    pub family: Family,
    pub name: String,
    /// Whether its chains get no packets.
    #[serde(default, skip_serializing_if = "super::statement::is_false")]
    pub dormant: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    #[serde_as(as = "Map<_, _>")]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub counters: Vec<(String, NamedCounter)>,
    #[serde_as(as = "Map<_, _>")]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quotas: Vec<(String, NamedQuota)>,
    #[serde_as(as = "Map<_, _>")]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<(String, NamedLimit)>,
    #[serde_as(as = "Map<_, _>")]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub helpers: Vec<(String, Helper)>,
    #[serde_as(as = "Map<_, _>")]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub timeouts: Vec<(String, Timeout)>,
    #[serde_as(as = "Map<_, _>")]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expectations: Vec<(String, Expectation)>,
    #[serde_as(as = "Map<_, _>")]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub synproxies: Vec<(String, NamedSynproxy)>,
    #[serde_as(as = "Map<_, _>")]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secmarks: Vec<(String, Secmark)>,
    #[serde_as(as = "Map<_, _>")]
    #[serde(default, rename = "flowTables", skip_serializing_if = "Vec::is_empty")]
    pub flow_tables: Vec<(String, FlowTable)>,
    #[serde_as(as = "Map<_, _>")]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sets: Vec<(String, Set)>,
    #[serde_as(as = "Map<_, _>")]
    #[serde(default)]
    pub chains: Vec<(String, Chain)>,
}

/// A chain. With a hook, it gets packets by itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Chain {
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hook: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    #[serde(default)]
    pub rules: Vec<Vec<Statement>>,
}

/// What happens to packets for which no rule decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    Accept,
    Drop,
}

/// A set, or a map from keys to verdicts or values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Set {
    /// The types of the key.
    #[serde(rename = "type")]
    pub key: OneOrMore,
    /// For a map: `verdict`, a kind of object, or the types of its values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<MapTypes>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<SetFlag>,
    /// In milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u64>,
    /// The largest number of elements.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u32>,
    /// Limits, quotas and counters that each element has of its own.
    #[serde(default, rename = "with", skip_serializing_if = "Vec::is_empty")]
    pub own: Vec<Own>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    #[serde(default)]
    pub elements: Vec<SetElement>,
}

/// What a map has for its keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum MapTypes {
    Values(OneOrMore),
    /// Ranges of values.
    Intervals {
        interval: OneOrMore,
    },
}

/// One type, or those of a concatenation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum OneOrMore {
    One(String),
    More(Vec<String>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SetFlag {
    Constant,
    Dynamic,
    Interval,
    Timeout,
}

/// An element of a set or a map.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum SetElement {
    Detailed(Box<DetailedElement>),
    Key(Operand),
}

struct ElementVisitor;

impl<'de> Visitor<'de> for ElementVisitor {
    type Value = SetElement;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an element of a set")
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<SetElement, E> {
        OperandVisitor.visit_u64(number).map(SetElement::Key)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<SetElement, E> {
        OperandVisitor.visit_str(text).map(SetElement::Key)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, parts: A) -> Result<SetElement, A::Error> {
        OperandVisitor.visit_seq(parts).map(SetElement::Key)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<SetElement, A::Error> {
        DetailedElement::deserialize(MapAccessDeserializer::new(map))
            .map(|element| SetElement::Detailed(element.into()))
    }
}

impl<'de> Deserialize<'de> for SetElement {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ElementVisitor)
    }
}

/// An element with its value in a map, or with more than its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DetailedElement {
    pub key: Operand,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Operand>,
    /// What it has of its own, if that is not what the set says.
    #[serde(default, rename = "with", skip_serializing_if = "Vec::is_empty")]
    pub own: Vec<Own>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}
