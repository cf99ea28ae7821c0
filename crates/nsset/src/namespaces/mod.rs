//! Namespaces, sets of them, and where they come from.

pub mod ioctl;
pub mod kind;
pub mod namespace;
pub mod ns_link;
pub mod set;
pub mod source;
