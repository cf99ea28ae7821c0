//! The specification of a new link.

use serde::Deserialize;

use super::{changes::LinkState, ends::VethPeer, kinds::LinkKind};
use crate::{error::Result, link_ref::LinkRef, network::Network};

/// The specification of a new link.
#[derive(Clone, Debug, Deserialize)]
pub struct LinkSpec {
    pub name: String,
    /// Default: the kernel chooses one.
    pub index: Option<u32>,
    #[serde(flatten)]
    pub kind: LinkKind,
    /// The device below a VLAN, MACVLAN or IPVLAN, or the one through which the packets of a tunnel leave.
    pub dev: Option<LinkRef>,
    /// The id of the device's network in this one, if it is another network. `dev` is then an index in that network.
    #[serde(rename = "devNetnsId")]
    pub dev_netns_id: Option<i32>,
    /// The other end of a veth. Default: one with a name that the kernel chooses.
    /// The network to create the link in, if its device is in another one.
    #[serde(skip)]
    pub home: Option<Network>,
    /// How many queues it sends by. Default: the kind's.
    #[serde(rename = "numTxQueues")]
    pub num_tx_queues: Option<u32>,
    /// How many queues it receives by. Default: the kind's.
    #[serde(rename = "numRxQueues")]
    pub num_rx_queues: Option<u32>,
    #[serde(skip)]
    pub peer: Option<VethPeer>,
    #[serde(flatten)]
    pub state: LinkState,
}

impl LinkSpec {
    /// Returns the specification of a link with the kernel's default state.
    pub fn new(name: impl Into<String>, kind: LinkKind) -> Self {
        Self {
            name: name.into(),
            index: None,
            kind,
            dev: None,
            dev_netns_id: None,
            peer: None,
            home: None,
            num_tx_queues: None,
            num_rx_queues: None,
            state: LinkState::default(),
        }
    }

    /// Returns the state that has to be set after the link is created: the alias, which the kernel ignores when it creates a link
    /// (rtnl_create_link() of net/core/rtnetlink.c), and what needs other requests.
    pub(crate) fn rest(&self) -> LinkState {
        let LinkState { alias, port, alt_names, addresses, .. } = self.state.clone();
        LinkState { alias, port, alt_names, addresses, ..LinkState::default() }
    }

    pub(crate) fn check(&self) -> Result<()> {
        self.kind.check()?;
        self.state.check()?;
        self.peer.as_ref().map_or(Ok(()), VethPeer::check)
    }
}
