//! Helpers that stay in the network of a set and wait for a program.

pub mod residents;
pub mod waiting;
