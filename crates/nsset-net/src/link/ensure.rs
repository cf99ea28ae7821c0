//! Makes a link, or has the one that is there become so, where it could have been made so.

use std::os::fd::OwnedFd;

use nix::errno::Errno;

use super::{link::Link, links::Links, spec::LinkSpec, veth::VethPeer};
use crate::{
    error::{Error, KernelError, Result},
    link_ref::LinkRef,
    network::Network,
};

impl Links<'_> {
    /// Makes one, unless there is one of that name that could have been made so; that one and its peer become as their
    /// states say.
    ///
    /// A link of that name and of another kind, on another device, with another peer, or with other data of its kind is an error.
    pub async fn ensure(&self, spec: &LinkSpec) -> Result<Link> {
        let is_told_by_number = |peer: &VethPeer| peer.netns_id.is_some() && peer.network.is_none();
        if spec.peer.as_ref().is_some_and(is_told_by_number)
            && self.get(&LinkRef::Name(spec.name.clone())).await.is_ok()
        {
            // It could not be made, but it may be there.
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

    /// The same of a TUN or TAP, with a descriptor as [`Self::add_tun`] takes it.
    pub async fn ensure_tun(&self, spec: &LinkSpec, device: OwnedFd) -> Result<Link> {
        match self.add_tun(spec, device).await {
            // It is how tun_set_iff() of drivers/net/tun.c says that the name is taken.
            Err(Error::Kernel(error)) if error.errno == Errno::EBUSY && error.request == "ioctl(TUNSETIFF)" => {
                self.adopt(spec, Box::new(KernelError { errno: Errno::EEXIST, ..*error })).await
            }
            outcome => outcome,
        }
    }

    /// Has the link that is there become as this says, where it could have been made so.
    async fn adopt(&self, spec: &LinkSpec, exists: Box<KernelError>) -> Result<Link> {
        let refused = |why: String| Box::new(KernelError { hint: Some(why.into()), ..*exists.clone() }).into();
        let Ok(link) = self.get(&LinkRef::Name(spec.name.clone())).await else {
            // It is something else that exists: a link of its peer's name, or a tunnel with its data.
            return Err(exists.into());
        };
        if let Some(difference) = difference(self.network, &link, spec).await? {
            return Err(refused(difference));
        }
        let end = match &spec.peer {
            Some(peer) => other_end(self.network, &link, peer).await?.map_err(refused)?,
            None => None,
        };
        let called = LinkRef::Name(spec.name.clone());
        let undo = self.put_right(&link, &called, &spec.state).await?;
        let outcome = self.put_end_right(&link, end, spec).await;
        if outcome.is_err() {
            undo.undo(self.network).await;
        }
        outcome
    }

    /// The same of its other end, where there is one. Answers with the link.
    async fn put_end_right(&self, link: &Link, end: Option<(Network, Link)>, spec: &LinkSpec) -> Result<Link> {
        let (Some((home, end)), Some(peer)) = (end, &spec.peer) else { return self.get(&link.reference()).await };
        let called = LinkRef::Name(end.name.clone());
        let undo = home.links().put_right(&end, &called, &peer.state).await?;
        let adopted = self.get(&link.reference()).await;
        if adopted.is_err() {
            undo.undo(&home).await;
        }
        adopted
    }
}

/// Why the link is not one that was made as this says.
async fn difference(network: &Network, link: &Link, spec: &LinkSpec) -> Result<Option<String>> {
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
