//! The request that creates a link.

use std::{borrow::Cow, os::fd::OwnedFd};

use netlink_packet_route::link::LinkAttribute;

use super::{
    changes::{LinkBuilder, LinkState},
    kinds::{Bond, Bridge, LinkKind},
    spec::LinkSpec,
};
use crate::{error::Result, link_ref::LinkRef, mac::Mac, network::Network};

/// Returns the index of the link's device.
pub(super) async fn device(network: &Network, spec: &LinkSpec) -> Result<Option<u32>> {
    match (&spec.dev, spec.dev_netns_id) {
        (Some(LinkRef::Index(index)), Some(_)) => Ok(Some(*index)),
        (Some(dev), _) => network.links().index(dev).await.map(Some),
        (None, _) => Ok(None),
    }
}

pub(super) fn message(
    spec: &LinkSpec,
    master: Option<u32>,
    dev: Option<u32>,
    peer_namespace: Option<&OwnedFd>,
) -> LinkBuilder {
    let link = LinkBuilder::new_with_info_kind(spec.kind.name().into());
    let mut link = state_as_new(spec).write(master, link.name(spec.name.as_str()).index(spec.index.unwrap_or(0)));
    if let Some(count) = spec.num_tx_queues {
        link = link.append_extra_attribute(LinkAttribute::NumTxQueues(count));
    }
    if let Some(count) = spec.num_rx_queues {
        link = link.append_extra_attribute(LinkAttribute::NumRxQueues(count));
    }
    if let Some(number) = spec.dev_netns_id {
        link = link.append_extra_attribute(LinkAttribute::LinkNetNsId(number));
    }
    if let Some(index) = dev.filter(|_| spec.kind.has_dev_as_link()) {
        link = link.link(index);
    }
    let peer = spec.peer.as_ref().map(|peer| peer.message(peer_namespace));
    if let Some(data) = as_new(&spec.kind).data(dev, peer) {
        link = link.set_info_data(data);
    }
    link
}

/// Removes the MAC address of zeros with which a netkit of layer 3 is listed: the kernel rejects it in a request.
fn state_as_new(spec: &LinkSpec) -> Cow<'_, LinkState> {
    if matches!(spec.kind, LinkKind::Netkit(_)) && spec.state.mac == Some(Mac([0; 6])) {
        return Cow::Owned(LinkState { mac: None, ..spec.state.clone() });
    }
    Cow::Borrowed(&spec.state)
}

/// Removes what a new link cannot have: an active port, since a new bond has no ports. Removes a setting that every new link has: a kernel without VLAN filtering lists it as off, but rejects a request to turn it
/// off.
fn as_new(kind: &LinkKind) -> Cow<'_, LinkKind> {
    match kind {
        LinkKind::Bridge(bridge) if bridge.vlan_filtering == Some(false) => {
            Cow::Owned(LinkKind::Bridge(Bridge { vlan_filtering: None, ..bridge.clone() }))
        }
        LinkKind::Bond(bond) if bond.active_port.is_some() => {
            Cow::Owned(LinkKind::Bond(Bond { active_port: None, ..bond.clone() }))
        }
        kind => Cow::Borrowed(kind),
    }
}
