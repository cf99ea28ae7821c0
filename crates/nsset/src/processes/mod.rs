//! Programs: how they start, with which descriptors, and what they see.

pub mod named_view;
pub mod spawn;
pub mod stdio;
