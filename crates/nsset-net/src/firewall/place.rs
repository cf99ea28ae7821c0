//! What a message of a batch is about, for errors.

use std::fmt;

use super::message::rule::EXPRESSIONS;
use crate::{error::Error, netlink::attributes::u16_at};

/// A part of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The batch as a whole.
    Batch,
    Table,
    Object(ObjectPlace),
    FlowTable(String),
    Set(String),
    Chain(String),
    Rule(RulePlace),
}

/// A named object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ObjectPlace {
    /// Where the table has those of its kind.
    pub list: &'static str,
    pub name: String,
    /// The module that it needs.
    pub module: Option<String>,
}

/// A rule of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RulePlace {
    pub chain: String,
    /// Counted from 0.
    pub number: usize,
    /// For each statement, the number of expressions up to its end.
    pub ends: Vec<usize>,
    /// Whether it has expressions that were given in the format of the kernel.
    pub is_raw: bool,
}

/// Adds a place to an error in the data.
pub(crate) fn named(error: Error, place: impl fmt::Display) -> Error {
    match error {
        Error::InvalidArgument(message) => Error::InvalidArgument(format!("{place}: {message}")),
        other => other,
    }
}

impl Place {
    /// Returns the name of the place in the attributes of its message that is at this offset.
    pub fn at(&self, attributes: &[u8], offset: Option<usize>) -> String {
        match (self, offset) {
            (Self::Rule(rule), Some(offset)) => match rule.statement_at(attributes, offset) {
                Some(position) => rule.statement(position),
                None => self.to_string(),
            },
            _ => self.to_string(),
        }
    }
}

impl RulePlace {
    /// Returns the name of a statement.
    pub fn statement(&self, position: usize) -> String {
        format!("{self}[{position}]")
    }

    /// Returns the statement to which the expression at an offset belongs.
    fn statement_at(&self, attributes: &[u8], offset: usize) -> Option<usize> {
        let (start, end) = attributes_in(attributes, 0)
            .find_map(|(kind, start, end)| (kind == EXPRESSIONS).then_some((start, end)))?;
        let list = attributes.get(..end)?;
        let expression = attributes_in(list, start + HEADER).position(|(_, _, end)| offset < end)?;
        (offset >= start).then(|| self.ends.iter().position(|end| expression < *end))?
    }
}

/// The length and the type of an attribute.
const HEADER: usize = 4;

/// The types of attributes, and where each starts and ends.
fn attributes_in(bytes: &[u8], mut place: usize) -> impl Iterator<Item = (u16, usize, usize)> {
    std::iter::from_fn(move || {
        let length = usize::from(u16_at(bytes, place).ok()?).max(HEADER);
        let kind = u16_at(bytes, place + 2).ok()? & 0x3fff;
        let start = place;
        place += length.next_multiple_of(4);
        Some((kind, start, place))
    })
}

impl fmt::Display for RulePlace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "chains.{}.rules[{}]", self.chain, self.number)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Batch | Self::Table => Ok(()),
            Self::Object(object) => write!(formatter, "{}.{}", object.list, object.name),
            Self::FlowTable(name) => write!(formatter, "flowTables.{name}"),
            Self::Set(name) => write!(formatter, "sets.{name}"),
            Self::Chain(name) => write!(formatter, "chains.{name}"),
            Self::Rule(rule) => rule.fmt(formatter),
        }
    }
}
