//! References to links.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer, ser::SerializeMap};

/// A reference to a link by its name, by an alternative name that is as short as a name, by its index, or by its alias.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LinkRef {
    Name(String),
    Index(u32),
    /// The alias that `ip link set NAME alias TEXT` sets. It must be unique.
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

/// Serializes an index as a reference: `{ "index": 2 }`.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
pub(crate) fn index<S: Serializer>(index: &u32, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(1))?;
    map.serialize_entry("index", index)?;
    map.end()
}

/// Like `index`, for an optional index.
#[expect(clippy::trivially_copy_pass_by_ref, clippy::ref_option, reason = "serde passes references")]
pub(crate) fn optional_index<S: Serializer>(
    index: &Option<u32>,
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    index.map(LinkRef::Index).serialize(serializer)
}
