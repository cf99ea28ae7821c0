//! Replaces a table by what differs: rules that are equal keep their counters, and sets what packets have added.

mod batch;
mod elements;
mod existing;
mod kept;
mod listed;
mod reference;
mod sequence;

pub(crate) use existing::Existing;
