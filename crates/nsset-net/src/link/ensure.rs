//! Creates a link, or updates an existing one of the same name and kind.

use std::os::fd::OwnedFd;

use nix::errno::Errno;

use super::{ends::VethPeer, link::Link, links::Links, spec::LinkSpec};
use crate::{
    error::{Error, KernelError, Result},
    link_ref::LinkRef,
    network::Network,
};

impl Links<'_> {
    /// Creates a link, or changes the state of an existing one with the same name, and of its peer.
    ///
    /// It is an error if the existing link has another kind, another device, another peer, or other settings of its kind.
    pub async fn ensure(&self, spec: &LinkSpec) -> Result<Link> {
        let has_only_id = |peer: &VethPeer| peer.netns_id.is_some() && peer.network.is_none();
        if spec.peer.as_ref().is_some_and(has_only_id) && self.get(&LinkRef::Name(spec.name.clone())).await.is_ok() {
            // A peer with only a namespace id cannot be created, but it may exist.
            let target = LinkRef::Name(spec.name.clone()).to_string();
            let exists = KernelError { errno: Errno::EEXIST, request: "RTM_NEWLINK", target, words: None, hint: None };
            return self.adopt(spec, Box::new(exists)).await;
        }
        match self.add(spec).await {
            Err(Error::Kernel(error)) if error.errno == Errno::EEXIST && error.request == "RTM_NEWLINK" => {
                self.adopt(spec, error).await
            }
            outcome => outcome,
        }
    }

    /// Like `ensure`, for a TUN or TAP device, with a descriptor for [`Self::add_tun`].
    pub async fn ensure_tun(&self, spec: &LinkSpec, device: OwnedFd) -> Result<Link> {
        match self.add_tun(spec, device).await {
            // tun_set_iff() of drivers/net/tun.c returns this if the name is taken.
            Err(Error::Kernel(error)) if error.errno == Errno::EBUSY && error.request == "ioctl(TUNSETIFF)" => {
                self.adopt(spec, Box::new(KernelError { errno: Errno::EEXIST, ..*error })).await
            }
            outcome => outcome,
        }
    }

    /// Changes the state of the existing link, if it has the kind and the settings of the wanted one.
    async fn adopt(&self, spec: &LinkSpec, exists: Box<KernelError>) -> Result<Link> {
        let refused = |why: String| Box::new(KernelError { hint: Some(why.into()), ..*exists.clone() }).into();
        let indexed = self.indexed(spec).await?;
        let spec = indexed.as_ref().unwrap_or(spec);
        let home = spec.home.as_ref().unwrap_or(self.network);
        let links = home.links();
        let Ok(link) = links.get(&LinkRef::Name(spec.name.clone())).await else {
            // No link has the name: the conflict is with the name of the peer, or with a tunnel with the same data.
            return Err(exists.into());
        };
        if let Some(difference) = difference(self.network, home, &link, spec).await? {
            return Err(refused(difference));
        }
        let end = match &spec.peer {
            Some(peer) => other_end(self.network, &link, peer).await?.map_err(refused)?,
            None => None,
        };
        let called = LinkRef::Name(spec.name.clone());
        let undo = links.apply_state(&link, &called, &spec.state).await?;
        let outcome = links.apply_peer_state(&link, end, spec).await;
        if outcome.is_err() {
            undo.undo(home).await;
        }
        outcome
    }

    /// Changes the state of the peer, if there is one. Returns the link.
    async fn apply_peer_state(&self, link: &Link, end: Option<(Network, Link)>, spec: &LinkSpec) -> Result<Link> {
        let (Some((home, end)), Some(peer)) = (end, &spec.peer) else { return self.get(&link.reference()).await };
        let called = LinkRef::Name(end.name.clone());
        let undo = home.links().apply_state(&end, &called, &peer.state).await?;
        let adopted = self.get(&link.reference()).await;
        if adopted.is_err() {
            undo.undo(&home).await;
        }
        adopted
    }
}

/// Returns how the existing link differs from the wanted one in a way that cannot be changed.
async fn difference(network: &Network, home: &Network, link: &Link, spec: &LinkSpec) -> Result<Option<String>> {
    if link.name != spec.name {
        return Ok(Some(format!("it is another name of the link '{}'", link.name)));
    }
    if link.kind.name() != spec.kind.name() {
        return Ok(Some(format!("it is a {}, not a {}", link.kind.name(), spec.kind.name())));
    }
    if spec.index.is_some_and(|index| index != link.index) {
        return Ok(Some(format!("it has the index {}", link.index)));
    }
    let queues =
        [(spec.num_tx_queues, link.num_tx_queues, "sends"), (spec.num_rx_queues, link.num_rx_queues, "receives")];
    if let Some((_, count, does)) =
        queues.into_iter().find(|(wanted, count, _)| wanted.is_some_and(|wanted| wanted != *count))
    {
        return Ok(Some(format!("it {does} by {count} queues")));
    }
    if let Some(dev) = &spec.dev {
        let index = match (spec.dev_netns_id, dev) {
            (Some(_), LinkRef::Index(index)) => *index,
            _ => network.links().index(dev).await?,
        };
        let netns_id = if home.is(network)? { spec.dev_netns_id } else { home.number_of(network).await? };
        // An index is unique only within its network.
        if link.dev.map(|dev| (dev.index, dev.netns_id)) != Some((index, netns_id)) {
            return Ok(Some("it was created on another device".into()));
        }
    }
    let has_data = link.kind.has_data_of(&spec.kind);
    Ok((!has_data).then(|| format!("it is a {}, but with other settings", link.kind.name())))
}

/// Returns the other end of a veth and its network, or how it differs from the wanted peer. `None` if it is the wanted one and
/// its state does not have to change.
async fn other_end(
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
    if end.netns_id != number || peer.netns_id.is_some_and(|id| Some(id) != end.netns_id) {
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
