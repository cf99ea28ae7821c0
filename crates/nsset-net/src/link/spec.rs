//! A link that is to be made.

use serde::Deserialize;

use super::{changes::LinkState, kind::LinkKind, veth::VethPeer};
use crate::{error::Result, link_ref::LinkRef};

/// A link that is to be made.
#[derive(Clone, Debug, Deserialize)]
pub struct LinkSpec {
    pub name: String,
    /// The kernel finds one where there is none.
    pub index: Option<u32>,
    #[serde(flatten)]
    pub kind: LinkKind,
    /// The device that it is made on, of a VLAN, MACVLAN or IPVLAN; the one that the packets of a tunnel leave by.
    pub dev: Option<LinkRef>,
    /// The number that the network of the device has in this one, where it is another; the device is an index there.
    #[serde(rename = "devNetnsId")]
    pub dev_netns_id: Option<i32>,
    /// The other end of a veth. The kernel finds it a name where it has none.
    #[serde(skip)]
    pub peer: Option<VethPeer>,
    #[serde(flatten)]
    pub state: LinkState,
}

impl LinkSpec {
    /// A link that is as the kernel makes it.
    pub fn new(name: impl Into<String>, kind: LinkKind) -> Self {
        Self {
            name: name.into(),
            index: None,
            kind,
            dev: None,
            dev_netns_id: None,
            peer: None,
            state: LinkState::default(),
        }
    }

    /// What is to be said of it once it is there: the kernel takes an alias later only (rtnl_create_link() of
    /// net/core/rtnetlink.c), and addresses are another matter.
    pub(crate) fn rest(&self) -> LinkState {
        LinkState { alias: self.state.alias.clone(), addresses: self.state.addresses.clone(), ..LinkState::default() }
    }

    pub(crate) fn check(&self) -> Result<()> {
        self.kind.check()?;
        self.state.check()?;
        self.peer.as_ref().map_or(Ok(()), VethPeer::check)
    }
}
