//! Links: what concerns another network, or needs another socket.

use std::os::fd::AsFd;

use nsset_net::{LinkKind, LinkRef, LinkSpec, LinkState, Offload, VethPeer, WireGuardSpec};
use serde::Deserialize;

use crate::{
    network::{
        endpoints,
        inside::Inside,
        operations::{
            other_networks::{Other, network_of, networks_of},
            result::json,
        },
        sockets::Sockets,
    },
    network_thread::failure::Failure,
};

#[derive(Debug, Deserialize)]
pub struct NewLink {
    #[serde(flatten)]
    spec: LinkSpec,
    /// The network to create the link in, if not the same one.
    network: Option<Other>,
    peer: Option<NewPeer>,
}

#[derive(Debug, Deserialize)]
pub struct NewPeer {
    name: Option<String>,
    index: Option<u32>,
    #[serde(rename = "netnsId")]
    netns_id: Option<i32>,
    /// The network to create the peer in, if not the same one.
    network: Option<Other>,
    #[serde(flatten)]
    state: LinkState,
}

impl NewLink {
    /// Returns the link to create, with its network and that of its peer.
    async fn complete(self, others: &[Inside]) -> Result<LinkSpec, Failure> {
        let home = network_of(self.network, others).await?;
        let peer = match self.peer {
            Some(NewPeer { name, index, netns_id, network, state }) => {
                Some(VethPeer { name, index, netns_id, network: network_of(network, others).await?, state })
            }
            None => None,
        };
        Ok(LinkSpec { home, peer, ..self.spec })
    }
}

pub async fn add_link(sockets: &Sockets, new: NewLink, others: &[Inside]) -> Result<String, Failure> {
    let spec = new.complete(others).await?;
    match spec.kind {
        LinkKind::Tun(_) => json(&sockets.links().await?.add_tun(&spec, sockets.tun().await?).await?),
        _ => json(&sockets.links().await?.add(&spec).await?),
    }
}

pub async fn ensure_link(sockets: &Sockets, new: NewLink, others: &[Inside]) -> Result<String, Failure> {
    let spec = new.complete(others).await?;
    match spec.kind {
        LinkKind::Tun(_) => json(&sockets.links().await?.ensure_tun(&spec, sockets.tun().await?).await?),
        _ => json(&sockets.links().await?.ensure(&spec).await?),
    }
}

pub async fn move_link(
    sockets: &Sockets,
    link: &LinkRef,
    there: &Sockets,
    name: Option<String>,
) -> Result<String, Failure> {
    let links = sockets.links().await?;
    match name {
        Some(name) => json(&links.move_as(link, there.network().await?, &name).await?),
        None => json(&links.move_to(link, there.namespace()?.as_fd()).await?),
    }
}

pub async fn get_peer(
    sockets: &Sockets,
    link: &LinkRef,
    networks: &[Other],
    others: &[Inside],
) -> Result<String, Failure> {
    let networks = networks_of(networks, others).await?;
    json(&sockets.links().await?.peer(link, &networks).await?)
}

pub async fn get_offload(sockets: &Sockets, link: LinkRef) -> Result<String, Failure> {
    let index = sockets.links().await?.get(&link).await?.index;
    json(&sockets.offloads().await?.get(index, &link).await?)
}

pub async fn set_offload(sockets: &Sockets, link: LinkRef, changes: Offload) -> Result<String, Failure> {
    let index = sockets.links().await?.get(&link).await?.index;
    json(&sockets.offloads().await?.set(index, &link, &changes).await?)
}

pub async fn get_wireguard(sockets: &Sockets, link: LinkRef) -> Result<String, Failure> {
    let index = sockets.links().await?.index(&link).await?;
    let mut device = sockets.wireguards().await?.get(index, &link).await?;
    endpoints::name_links(sockets, &mut device).await?;
    json(&device)
}

pub async fn set_wireguard(sockets: &Sockets, link: LinkRef, mut spec: WireGuardSpec) -> Result<String, Failure> {
    endpoints::find_links(sockets, &mut spec).await?;
    let index = sockets.links().await?.index(&link).await?;
    json(&sockets.wireguards().await?.set(index, &link, &spec).await?)
}
