//! The network of a set: requests from JavaScript, which one thread runs for all sets.

mod endpoints;
mod file;
mod handles;
mod inside;
mod keys;
mod list;
mod monitoring;
mod native_network;
mod new_address;
mod operations;
mod outcome;
mod parts;
mod resolve;
mod sockets;
mod sysctl_links;
mod ways;
