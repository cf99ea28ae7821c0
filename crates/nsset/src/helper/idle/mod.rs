//! Helpers that wait for a program: spare ones outside, and residents in the network of a set.

pub mod residents;
pub mod spares;
pub mod waiting;
