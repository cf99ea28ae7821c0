//! Counters, quotas and limits of the table that a rule uses.

use serde::{Deserialize, Serialize};

use crate::firewall::{
    matching::mapped::Mapped,
    message::object::{COUNTER, LIMIT, QUOTA},
};

/// A kind of object that a table has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectKind {
    Counter,
    Quota,
    Limit,
}

/// An object by its name, or by what a map has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ObjectRef {
    Named(String),
    Mapped(Mapped),
}

const KINDS: [(ObjectKind, &str, u32); 3] = [
    (ObjectKind::Counter, "counter", COUNTER),
    (ObjectKind::Quota, "quota", QUOTA),
    (ObjectKind::Limit, "limit", LIMIT),
];

impl ObjectKind {
    /// `NFT_OBJECT_*`.
    pub(crate) fn number(self) -> u32 {
        KINDS.iter().find(|(kind, ..)| *kind == self).map_or(COUNTER, |(_, _, number)| *number)
    }

    pub(crate) fn name(self) -> &'static str {
        KINDS.iter().find(|(kind, ..)| *kind == self).map_or("counter", |(_, name, _)| name)
    }

    pub(crate) fn of(number: u32) -> Option<Self> {
        KINDS.iter().find(|(.., known)| *known == number).map(|(kind, ..)| *kind)
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        KINDS.iter().find(|(_, known, _)| *known == name).map(|(kind, ..)| *kind)
    }
}
