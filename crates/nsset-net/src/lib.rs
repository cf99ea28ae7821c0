//! The network of a network namespace, over rtnetlink(7): links, addresses, routes and queueing disciplines, as plain
//! data and operations. Whatever it does it does over one socket, born in the namespace, from wherever it is called.
//! The keys and peers of WireGuard links go over another: [`WireGuards`].
//!
//! ```no_run
//! # async fn example(socket: std::os::fd::OwnedFd) -> nsset_net::Result<()> {
//! use nsset_net::{Bridge, LinkKind, LinkSpec, Network};
//!
//! let network = Network::open(socket)?;
//! let bridge = network.links().add(&LinkSpec::new("br0", LinkKind::Bridge(Bridge::default()))).await?;
//! network.addresses().add(&bridge.reference(), &"10.0.0.1/24".parse()?).await?;
//! # Ok(())
//! # }
//! ```
//!
//! Waiting needs a tokio runtime with its `io` and `time` drivers.

mod address;
mod as_text;
mod cidr;
mod error;
mod hint;
mod link;
mod link_ref;
mod mac;
mod milliseconds;
mod netlink;
mod network;
mod octets;
mod qdisc;
mod route;
mod scope;
mod wireguard;

pub use address::{Address, AddressOptions, AddressSpec, Addresses};
pub use cidr::Cidr;
pub use error::{Error, KernelError, Result};
pub use link::*;
pub use link_ref::LinkRef;
pub use mac::Mac;
pub use network::Network;
pub use octets::Octets;
pub use qdisc::*;
pub use route::*;
pub use scope::Scope;
pub use wireguard::*;
