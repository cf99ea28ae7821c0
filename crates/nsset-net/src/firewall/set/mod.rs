//! Sets and maps, as the kernel gets them and as it lists them.

pub(crate) mod anonymous;
pub(crate) mod element;
pub(crate) mod found;
pub(crate) mod map_data;
pub(crate) mod order;
