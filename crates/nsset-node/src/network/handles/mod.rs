//! Sockets of Node's handles: made, bound and connected inside, with the names and indexes that links have there.

pub mod datagrams;
pub mod handle_fd;
pub mod lent_socket;
pub mod link_local;
pub mod socket;
pub mod zone;
pub mod zoned;
