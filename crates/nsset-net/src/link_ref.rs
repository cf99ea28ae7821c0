//! How a link is referred to.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer, ser::SerializeMap};

use crate::error::{Error, Result};

/// A link, by its name or an alternative name that is as short, its index, or its alias.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LinkRef {
    Name(String),
    Index(u32),
    /// What `ip link set NAME alias TEXT` gives; it has to be one link's only.
    Alias(String),
}

impl LinkRef {
    /// Refuses what no link can be.
    pub(crate) fn check(&self) -> Result<()> {
        match self {
            Self::Name(name) => check_name(name),
            Self::Index(index) => check_index(*index),
            Self::Alias(alias) => check_alias(alias),
        }
    }
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

/// `IFNAMSIZ` of linux/if.h, without the NUL.
const NAME_MAX: usize = 15;

/// `IFALIASZ` of linux/if.h, without the NUL.
const ALIAS_MAX: usize = 255;

/// As dev_valid_name() of net/core/dev.c has it, which looks at bytes, and takes A0 for a space of Latin-1; and no `%`, which
/// would have the kernel find a number.
const fn is_wrong(byte: u8) -> bool {
    matches!(byte, b'/' | b':' | b'%' | 0 | 0x09..=0x0D | b' ' | 0xA0)
}

pub(crate) fn check_name(name: &str) -> Result<()> {
    if name.is_empty() || name.len() > NAME_MAX || matches!(name, "." | "..") || name.bytes().any(is_wrong) {
        let shown = name.escape_debug();
        return Err(Error::InvalidArgument(format!(
            "'{shown}' is no name for a link: it has 1 to {NAME_MAX} bytes, no '/', ':', '%', whitespace or NUL, no byte A0 \
             (which 'à' has in UTF-8), and is not '.' or '..'"
        )));
    }
    Ok(())
}

pub(crate) fn check_alias(alias: &str) -> Result<()> {
    if alias.len() > ALIAS_MAX || alias.contains('\0') {
        return Err(Error::InvalidArgument(format!(
            "an alias has at most {ALIAS_MAX} bytes, and no NUL: '{}'",
            alias.escape_debug()
        )));
    }
    Ok(())
}

fn check_index(index: u32) -> Result<()> {
    match i32::try_from(index) {
        Ok(1..) => Ok(()),
        _ => Err(Error::OutOfRange(format!("no link has the index {index}: they count from 1 to {}", i32::MAX))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_the_kernel_takes() {
        for name in ["a", "eth0.100", "fünfzehn-bytes", "...", "a\u{85}b", "\u{2003}"] {
            check_name(name).unwrap();
        }
        for name in ["", ".", "..", "a b", "a/b", "a:b", "a\0", "a\u{b}b", "sixteen-bytes-xx", "veth%d", "à0", "Р1"] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn an_index_is_a_positive_int() {
        assert!(LinkRef::Index(1).check().is_ok());
        assert!(LinkRef::Index(0).check().is_err());
        assert!(LinkRef::Index(1 << 31).check().is_err());
    }
}
