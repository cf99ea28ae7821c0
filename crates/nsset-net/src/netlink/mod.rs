//! Netlink: requests to the kernel, its answers, and their attributes.

pub mod answer;
pub mod attributes;
pub mod batch;
pub mod buffer;
pub mod conversation;
pub mod extended_ack;
pub mod message;
pub mod request;
pub mod socket;
pub mod waiting;
pub mod writer;
