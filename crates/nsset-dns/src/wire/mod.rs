//! Messages, and the sockets for queries.

pub mod message;
pub mod tcp;
pub mod udp;
