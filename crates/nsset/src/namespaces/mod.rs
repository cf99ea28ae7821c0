//! Namespaces, sets of them, and where they come from.

pub mod ioctl;
pub mod namespace;
pub mod netns_directory;
pub mod ns_link;
pub mod set;
pub mod source;
