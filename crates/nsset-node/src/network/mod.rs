//! The network inside a set: requests from JavaScript, carried out on one thread for all sets.

mod endpoints;
mod file;
mod handles;
mod inside;
mod keys;
mod native_network;
mod operation;
mod outcome;
mod resolve;
mod sockets;
