//! The kinds of objects that a table has.

/// A kind of object that a table has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ObjectKind {
    Counter,
    Quota,
    Limit,
    Helper,
    Timeout,
    Expectation,
    Synproxy,
    Secmark,
}

/// The name here, `NFT_OBJECT_*` of linux/netfilter/nf_tables.h, and what a rule sets with it, if it is not a statement.
const KINDS: [(ObjectKind, &str, u32, Option<&str>); 8] = [
    (ObjectKind::Counter, "counter", 1, None),
    (ObjectKind::Quota, "quota", 2, None),
    (ObjectKind::Helper, "helper", 3, Some("ct helper")),
    (ObjectKind::Limit, "limit", 4, None),
    (ObjectKind::Timeout, "timeout", 7, Some("ct timeout")),
    (ObjectKind::Secmark, "secmark", 8, Some("meta secmark")),
    (ObjectKind::Expectation, "expectation", 9, Some("ct expectation")),
    (ObjectKind::Synproxy, "synproxy", 10, None),
];

impl ObjectKind {
    /// `NFT_OBJECT_*`.
    pub(crate) fn number(self) -> u32 {
        KINDS.iter().find(|(kind, ..)| *kind == self).map_or(0, |(_, _, number, _)| *number)
    }

    pub(crate) fn name(self) -> &'static str {
        KINDS.iter().find(|(kind, ..)| *kind == self).map_or("", |(_, name, ..)| name)
    }

    /// What a rule sets with the object: `ct helper set "ftp"`.
    pub(crate) fn target(self) -> Option<&'static str> {
        KINDS.iter().find(|(kind, ..)| *kind == self).and_then(|(.., target)| *target)
    }

    pub(crate) fn of(number: u32) -> Option<Self> {
        KINDS.iter().find(|(_, _, known, _)| *known == number).map(|(kind, ..)| *kind)
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        KINDS.iter().find(|(_, known, ..)| *known == name).map(|(kind, ..)| *kind)
    }

    pub(crate) fn set_by(target: &str) -> Option<Self> {
        KINDS.iter().find(|(.., known)| *known == Some(target)).map(|(kind, ..)| *kind)
    }
}
