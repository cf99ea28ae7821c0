//! Starts programs: their namespaces, their descriptors, and their view of a named network.

pub mod named_view;
pub mod spawn;
pub mod stdio;
