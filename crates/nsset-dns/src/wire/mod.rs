//! Messages, and the sockets on which servers are asked.

pub mod message;
pub mod tcp;
pub mod udp;
