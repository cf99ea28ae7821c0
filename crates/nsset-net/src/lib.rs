//! Configures the network of a network namespace with rtnetlink(7): links, addresses, routes and queueing disciplines, as plain
//! data and operations. All requests use one socket, which was created in the namespace, so any thread can make them.
//! The keys and peers of WireGuard links use another socket: [`WireGuards`].
//!
//! ```no_run
//! # async fn example(socket: std::os::fd::OwnedFd) -> nsset_net::Result<()> {
//! use nsset_net::{Bridge, LinkChanges, LinkKind, LinkSpec, LinkState, Network};
//!
//! let network = Network::open(socket)?;
//! let bridge = network.links().add(&LinkSpec::new("br0", LinkKind::Bridge(Bridge::default()))).await?;
//! let up = LinkState { up: Some(true), ..LinkState::default() };
//! network.links().set(&bridge.reference(), &LinkChanges { state: up, ..LinkChanges::default() }).await?;
//! # Ok(())
//! # }
//! ```
//!
//! Waiting needs a tokio runtime with its `io` and `time` drivers, or a thread that may block: [`Network::open_blocking`].

mod address;
mod cidr;
mod class;
mod conntrack;
mod error;
mod family;
mod filter;
pub mod firewall;
mod hint;
mod link;
mod link_ref;
mod listed;
mod mac;
mod milliseconds;
mod neighbour;
mod netlink;
mod network;
mod network_ids;
mod next_hop;
mod octets;
mod offload;
mod qdisc;
mod route;
mod rule;
mod scope;
mod socket_diag;
mod table;
mod vlans;
mod watch;
mod wireguard;

pub use address::{Address, AddressChanges, AddressOptions, AddressSpec, Addresses};
pub use class::*;
pub use conntrack::{
    ConnectionDirection, ConnectionEnd, ConnectionFilter, ConnectionIcmp, ConnectionRef, ConnectionState,
    ConnectionStatus, Conntrack, ConntrackStatistics, MarkFilter, TrackedConnection, TrackedProtocol,
};
pub use error::{Error, KernelError, Result};
pub use family::Family;
pub use filter::*;
pub use ipnet::IpNet;
pub use link::*;
pub use link_ref::LinkRef;
pub use listed::Listed;
pub use mac::Mac;
pub use neighbour::*;
pub use netlink::value::{
    ByteRate, Limited, Microseconds, Nanoseconds, NetworkOrder, PowerOfTwo, ShortByteRate, Specified, Ticks,
    WholeMilliseconds, WideBool, Words,
};
pub use network::Network;
pub use network_ids::NetworkIds;
pub use next_hop::*;
pub use octets::Octets;
pub use offload::{Offload, OffloadGroups, Offloads};
pub use qdisc::*;
pub use route::*;
pub use rule::*;
pub use scope::Scope;
pub use socket_diag::*;
pub use table::{Table, Unwritable};
pub use vlans::{BridgeVlan, BridgeVlanSpec, BridgeVlans};
pub use watch::{Watch, WatchedLists, WatchedPart, WatchedSource, Watcher};
pub use wireguard::*;
