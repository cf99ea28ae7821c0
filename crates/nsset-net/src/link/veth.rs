//! The other end of a veth.

use std::os::fd::{AsRawFd, OwnedFd};

use netlink_packet_route::link::LinkMessage;

use super::changes::{LinkBuilder, LinkState};
use crate::{
    error::{Error, Result},
    network::Network,
};

/// The other end of a veth, which is made together with it.
#[derive(Clone, Debug, Default)]
pub struct VethPeer {
    /// The kernel finds one where there is none.
    pub name: Option<String>,
    /// The kernel finds one where there is none.
    pub index: Option<u32>,
    /// The number that its network has in the other end's. The kernel makes none by it: the network says where.
    pub netns_id: Option<i32>,
    /// Where it is made, if not in the same network.
    pub network: Option<Network>,
    pub state: LinkState,
}

impl VethPeer {
    pub(crate) fn check(&self) -> Result<()> {
        if self.netns_id.is_some() && self.network.is_none() {
            return Err(Error::InvalidArgument(
                "'peer.netnsId' is a number that the network has here, and no way to find it: give its 'set'".into(),
            ));
        }
        self.state.check()
    }

    /// What is to be said of it once it is there: of a master the kernel takes no notice before, and it cannot be up while
    /// there is no other end (veth_open() of drivers/net/veth.c).
    pub(crate) fn rest(&self) -> LinkState {
        LinkState { mac: None, mtu: None, promiscuous: None, ..self.state.clone() }
    }

    /// Its part of the request. The namespace has to be open until that is sent.
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
