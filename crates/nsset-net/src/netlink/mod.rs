//! The conversation with the kernel: requests, answers, attributes.

pub mod answer;
pub mod attributes;
pub mod conversation;
pub mod extended_ack;
pub mod request;
pub mod socket;
