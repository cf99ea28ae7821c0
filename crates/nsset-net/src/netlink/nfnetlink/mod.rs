//! nfnetlink: messages, batches of them, and their attributes.

pub mod batch;
pub mod message;
pub mod writer;
