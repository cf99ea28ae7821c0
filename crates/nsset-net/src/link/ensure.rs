//! Whether a link that is there is one that was made as is said.

use super::{link::Link, spec::LinkSpec, veth::VethPeer};
use crate::{error::Result, link_ref::LinkRef, network::Network};

/// Why the link is not one that was made as this says.
pub(super) async fn difference(network: &Network, link: &Link, spec: &LinkSpec) -> Result<Option<String>> {
    if link.name != spec.name {
        return Ok(Some(format!("it is another name of the link '{}'", link.name)));
    }
    if link.kind.name() != spec.kind.name() {
        return Ok(Some(format!("it is a {}, not a {}", link.kind.name(), spec.kind.name())));
    }
    if spec.index.is_some_and(|index| index != link.index) {
        return Ok(Some(format!("it has the index {}", link.index)));
    }
    if let Some(dev) = &spec.dev {
        let index = match (spec.dev_netns_id, dev) {
            (Some(_), LinkRef::Index(index)) => *index,
            _ => network.links().index(dev).await?,
        };
        // An index means nothing without its network.
        if link.dev.map(|dev| (dev.index, dev.netns_id)) != Some((index, spec.dev_netns_id)) {
            return Ok(Some("it was made on another device".into()));
        }
    }
    let has_data = link.kind.has_data_of(&spec.kind);
    Ok((!has_data).then(|| format!("it is a {}, but with other settings", link.kind.name())))
}

/// The other end of a veth and its network, or why it is not the one that is said. None where it is, and there is nothing
/// else to say of it.
pub(super) async fn other_end(
    network: &Network,
    link: &Link,
    peer: &VethPeer,
) -> Result<std::result::Result<Option<(Network, Link)>, String>> {
    let elsewhere = || Ok(Err("its other end is in another network".into()));
    let Some(end) = link.peer else { return Ok(Err("it has no other end".into())) };
    if peer.network.is_none() && peer.netns_id.is_some() && peer.name.is_none() && peer.state.is_empty() {
        let is_it = end.netns_id == peer.netns_id && peer.index.is_none_or(|index| index == end.index);
        return if is_it { Ok(Ok(None)) } else { elsewhere() };
    }
    let home = peer.network.as_ref().unwrap_or(network);
    let number = network.number_of(home).await?;
    if end.netns_id != number || peer.netns_id.is_some_and(|said| Some(said) != end.netns_id) {
        return elsewhere();
    }
    let Ok(found) = home.links().get(&LinkRef::Index(end.index)).await else { return elsewhere() };
    if found.peer.map(|back| back.index) != Some(link.index) {
        return elsewhere();
    }
    if peer.index.is_some_and(|index| index != found.index) {
        return Ok(Err(format!("its other end has the index {}", found.index)));
    }
    match &peer.name {
        Some(name) if *name != found.name => Ok(Err(format!("its other end is called '{}', not '{name}'", found.name))),
        _ => Ok(Ok(Some((home.clone(), found)))),
    }
}
