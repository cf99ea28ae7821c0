//! `add`, `update` and `delete`: what a packet changes in a set of its table.

use serde::{Deserialize, Serialize};

use super::counter::{ConnectionCount, Limit, Quota};
use crate::firewall::{
    expression::{
        Expression,
        action::{
            counter::Counter,
            dynset::{ADD, DELETE, UPDATE},
        },
    },
    matching::{operand::Operand, selectors::Selectors},
};

/// What happens to an element. `Update` renews the time of one that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElementOperation {
    Add,
    Update,
    Delete,
}

/// An element of a set whose key the packet has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ElementOf {
    /// `@name`.
    pub set: String,
    pub key: Selectors,
    /// What a map has for the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<ElementValue>,
    /// In milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u64>,
    /// Limits, quotas and counters that each element has of its own.
    #[serde(default, rename = "with", skip_serializing_if = "Vec::is_empty")]
    pub own: Vec<Own>,
}

/// What a map gets for a key: the value of selectors, or a constant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ElementValue {
    Of(Selectors),
    Constant(Operand),
}

/// What each element has of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Own {
    Counter,
    Limit(Limit),
    Quota(Quota),
    #[serde(rename = "ct count")]
    Connections(ConnectionCount),
}

const OPERATIONS: [(ElementOperation, u32); 3] =
    [(ElementOperation::Add, ADD), (ElementOperation::Update, UPDATE), (ElementOperation::Delete, DELETE)];

impl ElementOperation {
    pub(crate) fn number(self) -> u32 {
        OPERATIONS.iter().find(|(operation, _)| *operation == self).map_or(ADD, |(_, number)| *number)
    }

    pub(crate) fn of(number: u32) -> Option<Self> {
        OPERATIONS.iter().find(|(_, known)| *known == number).map(|(operation, _)| *operation)
    }

    /// The name in nft(8).
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

impl ElementOf {
    /// Returns the name of the set.
    pub(crate) fn set_name(&self) -> &str {
        self.set.trim_start_matches('@')
    }
}

impl Own {
    pub(crate) fn lower(&self) -> Expression {
        match self {
            Self::Counter => Counter::default().into(),
            Self::Limit(limit) => limit.lower().into(),
            Self::Quota(quota) => quota.lower().into(),
            Self::Connections(count) => count.lower().into(),
        }
    }

    /// Reads all that an element has of its own; `None` if something has no name here.
    pub(crate) fn lift_all(expressions: &[Expression]) -> Option<Vec<Self>> {
        expressions.iter().map(Self::lift).collect()
    }

    pub(crate) fn lift(expression: &Expression) -> Option<Self> {
        Some(match expression {
            Expression::Counter(_) => Self::Counter,
            Expression::Limit(limit) => Self::Limit(Limit::lift(limit)?),
            Expression::Quota(quota) => Self::Quota(Quota::lift(quota)),
            Expression::Connlimit(limit) => Self::Connections(ConnectionCount::lift(limit)),
            _ => return None,
        })
    }
}
