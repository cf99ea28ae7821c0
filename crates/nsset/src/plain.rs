//! Paths and contents in plain data, as text or as bytes.

use std::{
    ffi::OsString,
    fmt::{Formatter, Result as Formatted},
    os::unix::ffi::OsStringExt,
    path::PathBuf,
};

use serde::{
    Deserialize, Deserializer,
    de::{Error, Visitor},
};

struct AnyPath(PathBuf);

struct AnyPathVisitor;

impl Visitor<'_> for AnyPathVisitor {
    type Value = AnyPath;

    fn expecting(&self, formatter: &mut Formatter<'_>) -> Formatted {
        formatter.write_str("a path, as text or as bytes")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<AnyPath, E> {
        Ok(AnyPath(text.into()))
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<AnyPath, E> {
        Ok(AnyPath(OsString::from_vec(bytes.to_vec()).into()))
    }
}

impl<'de> Deserialize<'de> for AnyPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyPathVisitor)
    }
}

/// For `deserialize_with`: serde itself reads a path from text only.
pub fn path<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
    AnyPath::deserialize(deserializer).map(|AnyPath(path)| path)
}

/// The same for an optional path.
pub fn optional_path<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PathBuf>, D::Error> {
    Ok(Option::<AnyPath>::deserialize(deserializer)?.map(|AnyPath(path)| path))
}

/// The same for several paths.
pub fn paths<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<PathBuf>, D::Error> {
    Ok(Vec::<AnyPath>::deserialize(deserializer)?.into_iter().map(|AnyPath(path)| path).collect())
}

/// For the content of a file: serde itself reads bytes from lists of numbers only.
pub fn bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    AnyPath::deserialize(deserializer).map(|AnyPath(path)| path.into_os_string().into_vec())
}
