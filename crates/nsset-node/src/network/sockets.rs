//! The sockets of one network, each opened inside on first use.

use std::os::fd::OwnedFd;

use nsset::{Kind, NamespaceSet};
use nsset_net::{Addresses, Links, Network, Qdiscs, Routes, WireGuards};
use tokio::sync::OnceCell;

use super::failure::Failure;

/// The sockets of a set's network.
pub struct Sockets {
    set: NamespaceSet,
    network: OnceCell<Network>,
    wireguards: OnceCell<WireGuards>,
}

impl Sockets {
    pub fn of(set: NamespaceSet) -> Self {
        Self { set, network: OnceCell::new(), wireguards: OnceCell::new() }
    }

    /// To be called on the thread of networks, which goes inside to open the socket.
    pub async fn network(&self) -> Result<&Network, Failure> {
        self.network.get_or_try_init(|| async { Ok(Network::open(self.netlink(libc::NETLINK_ROUTE)?)?) }).await
    }

    pub async fn links(&self) -> Result<Links<'_>, Failure> {
        Ok(self.network().await?.links())
    }

    pub async fn addresses(&self) -> Result<Addresses<'_>, Failure> {
        Ok(self.network().await?.addresses())
    }

    pub async fn routes(&self) -> Result<Routes<'_>, Failure> {
        Ok(self.network().await?.routes())
    }

    pub async fn qdiscs(&self) -> Result<Qdiscs<'_>, Failure> {
        Ok(self.network().await?.qdiscs())
    }

    pub async fn wireguards(&self) -> Result<&WireGuards, Failure> {
        let open = || async { Ok(WireGuards::open(self.netlink(libc::NETLINK_GENERIC)?)?) };
        self.wireguards.get_or_try_init(open).await
    }

    fn netlink(&self, protocol: i32) -> nsset::Result<OwnedFd> {
        nsset::open_socket(&self.set, self.set.kinds(), libc::AF_NETLINK, libc::SOCK_RAW, protocol)
    }

    /// `/dev/net/tun`, as it is inside.
    pub fn tun(&self) -> nsset::Result<OwnedFd> {
        nsset::open_tun(&self.set, self.set.kinds())
    }

    pub fn sysctl(&self, name: &str) -> nsset::Result<String> {
        nsset::sysctl::get(&self.set, self.set.kinds(), name)
    }

    pub fn set_sysctl(&self, name: &str, value: &str) -> nsset::Result<()> {
        nsset::sysctl::set(&self.set, self.set.kinds(), name, value)
    }

    /// The network namespace itself.
    pub fn namespace(&self) -> nsset::Result<&nsset::Namespace> {
        self.set.get(Kind::Net).map(AsRef::as_ref)
    }
}
