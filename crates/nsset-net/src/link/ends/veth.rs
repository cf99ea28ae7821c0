//! The other end of a veth.

use std::os::fd::{AsRawFd, OwnedFd};

use netlink_packet_route::link::LinkMessage;

use crate::{
    error::{Error, Result},
    link::changes::{LinkBuilder, LinkState},
    network::Network,
};

/// The other end of a veth, which is created together with it.
#[derive(Clone, Debug, Default)]
pub struct VethPeer {
    /// Default: the kernel chooses one.
    pub name: Option<String>,
    /// Default: the kernel chooses one.
    pub index: Option<u32>,
    /// The id of its network in that of the first end. The kernel cannot create a peer from this: that needs `network`.
    pub netns_id: Option<i32>,
    /// The network to create it in. Default: the same network.
    pub network: Option<Network>,
    pub state: LinkState,
}

impl VethPeer {
    pub(crate) fn check(&self) -> Result<()> {
        if self.netns_id.is_some() && self.network.is_none() {
            return Err(Error::InvalidArgument(
                "'peer.netnsId' cannot be used to find the network of the peer: give its 'set'".into(),
            ));
        }
        self.state.check()
    }

    /// Returns the state that has to be set after the link is created: the kernel ignores a master in the request, and the peer
    /// cannot be up before the other end exists (veth_open() of drivers/net/veth.c).
    pub(crate) fn rest(&self) -> LinkState {
        LinkState { promiscuous: None, arp: None, multicast: None, all_multicast: None, ..self.state.without_first() }
    }

    /// Returns the peer's part of the request. The namespace must be open until the request is sent.
    pub(crate) fn message(&self, namespace: Option<&OwnedFd>) -> LinkMessage {
        let state = LinkState { up: None, ..self.state.clone() };
        let mut link = state.write(None, LinkBuilder::new().index(self.index.unwrap_or(0)));
        if let Some(name) = &self.name {
            link = link.name(name.as_str());
        }
        if let Some(namespace) = namespace {
            link = link.setns_by_fd(namespace.as_raw_fd());
        }
        link.build()
    }
}
