//! nfnetlink: batches of messages, and their attributes.

pub mod batch;
pub mod writer;
