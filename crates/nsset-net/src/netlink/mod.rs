//! The conversation with the kernel: requests, answers, attributes, and what a refusal means.

pub mod answer;
pub mod attributes;
pub mod conversation;
pub mod extended_ack;
pub mod hint;
pub mod request;
pub mod socket;
