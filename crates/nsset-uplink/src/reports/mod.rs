//! What an uplink tells its owner, on any thread.

mod counters;
mod questions;
mod refusals;

pub use counters::{Counters, Direction, Statistics};
pub use questions::{Asked, Questions};
pub use refusals::{Refusal, Refusals, What};
