//! Ways between the network of a set and the one outside.

mod forwarding;
mod leg;
mod socket_file;
