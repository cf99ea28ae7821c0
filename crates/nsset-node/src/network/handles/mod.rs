//! Sockets for handles of Node.js: created, bound and connected inside, with the names and indexes of the links inside.

pub mod datagrams;
pub mod handle_fd;
pub mod lent_socket;
pub mod link_local;
pub mod socket;
pub mod zone;
pub mod zoned;
