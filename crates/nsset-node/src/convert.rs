//! Converts kinds and paths from JavaScript's types to those of the crate `nsset`.

use std::{ffi::OsString, os::unix::ffi::OsStringExt, path::PathBuf};

use napi::bindgen_prelude::{Buffer, Either};
use napi_derive::napi;
use nsset::{Error, Kind, Kinds, NamespaceSet, Result};

/// Converts a mask of kinds, which the TypeScript API has checked; 0 stands for "not given".
pub fn optional_kinds(mask: u32) -> Result<Option<Kinds>> {
    let kinds =
        Kinds::from_flags(mask).ok_or_else(|| Error::InvalidArgument(format!("0x{mask:x} has bits of no kind")))?;
    Ok(Some(kinds).filter(|kinds| !kinds.is_empty()))
}

/// Returns the kinds of a mask, or all kinds of the set for 0.
pub fn kinds_of(set: &NamespaceSet, mask: u32) -> Result<Kinds> {
    let kinds = optional_kinds(mask)?.unwrap_or_else(|| set.kinds());
    kinds.iter().try_for_each(|kind| set.get(kind).map(drop))?;
    Ok(kinds)
}

/// Converts the flag of a kind; 0 stands for "not given".
pub fn optional_kind(flag: u32) -> Result<Option<Kind>> {
    if flag == 0 {
        return Ok(None);
    }
    Kind::from_flag(flag)
        .map(Some)
        .ok_or_else(|| Error::InvalidArgument(format!("0x{flag:x} is not a kind of namespace")))
}

/// A path or another string for the kernel, as text or as bytes.
#[napi]
pub type Text = Either<String, Buffer>;

pub fn os_string(text: Text) -> OsString {
    match text {
        Either::A(text) => text.into(),
        Either::B(bytes) => OsString::from_vec(bytes.to_vec()),
    }
}

pub fn path(text: Text) -> PathBuf {
    os_string(text).into()
}
