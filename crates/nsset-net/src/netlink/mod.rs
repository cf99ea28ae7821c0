//! Netlink: requests to the kernel, its answers, and their attributes.

pub mod answer;
pub mod attributes;
pub mod batch;
pub mod buffer;
pub mod conversation;
pub mod generic;
pub mod message;
pub mod request;
pub mod settings;
pub mod socket;
pub mod value;
pub mod waiting;
pub mod writer;
