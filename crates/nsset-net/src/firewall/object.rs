//! `NFT_OBJECT_*`: the kinds of named objects.

pub(crate) const COUNTER: u32 = 1;
pub(crate) const QUOTA: u32 = 2;
