//! Which namespaces there are, and what holds them.

mod by_id;
mod census;
mod descriptors;
mod entries;
mod hidden;
mod incomplete;
mod kernel_list;
mod links;
mod mounts;
mod processes;
mod reopen;
mod search;
mod socket_ioctl;
mod sockets;

pub use by_id::from_id;
pub use census::{Discovery, Found, Search};
pub use search::discover;
pub use sockets::from_socket;
