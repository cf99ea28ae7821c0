//! How a link is referred to.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer, ser::SerializeMap};

/// A link, by its name or an alternative name that is as short, its index, or its alias.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LinkRef {
    Name(String),
    Index(u32),
    /// What `ip link set NAME alias TEXT` gives; it has to be one link's only.
    Alias(String),
}

impl From<&str> for LinkRef {
    fn from(name: &str) -> Self {
        Self::Name(name.into())
    }
}

impl From<u32> for LinkRef {
    fn from(index: u32) -> Self {
        Self::Index(index)
    }
}

impl fmt::Display for LinkRef {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(formatter, "'{name}'"),
            Self::Index(index) => write!(formatter, "index {index}"),
            Self::Alias(alias) => write!(formatter, "alias '{alias}'"),
        }
    }
}

/// An index that is a reference in plain data: `{ "index": 2 }`.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
pub(crate) fn index<S: Serializer>(index: &u32, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(1))?;
    map.serialize_entry("index", index)?;
    map.end()
}

/// The same of one that may be missing.
#[expect(clippy::trivially_copy_pass_by_ref, clippy::ref_option, reason = "serde passes references")]
pub(crate) fn optional_index<S: Serializer>(
    index: &Option<u32>,
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    index.map(LinkRef::Index).serialize(serializer)
}
