//! Links in endpoints of WireGuard peers (`[fe80::1%eth0]:51820`). As with wg(8) inside, these are links inside.

use nsset_net::{LinkRef, WireGuard, WireGuardSpec};

use crate::{network::sockets::Sockets, network_thread::failure::Failure};

/// Replaces the names of links in endpoints by their indexes inside.
pub async fn find_links(sockets: &Sockets, spec: &mut WireGuardSpec) -> Result<(), Failure> {
    for peer in &mut spec.peers {
        let Some(endpoint) = &peer.endpoint else { continue };
        let Some(link) = endpoint.link() else { continue };
        let index = sockets.links().await?.index(&LinkRef::Name(link.into())).await?;
        peer.endpoint = Some(endpoint.clone().on(index));
    }
    Ok(())
}

/// Replaces the indexes of links in endpoints by their names. The index of a link that does not exist inside stays.
pub async fn name_links(sockets: &Sockets, device: &mut WireGuard) -> Result<(), Failure> {
    let is_of_link =
        |peer: &nsset_net::Peer| peer.endpoint.as_ref().is_some_and(|endpoint| endpoint.link_index().is_some());
    if !device.peers.iter().any(is_of_link) {
        return Ok(());
    }
    let links = sockets.links().await?.list().await?;
    for peer in &mut device.peers {
        let Some(endpoint) = &peer.endpoint else { continue };
        if let Some(link) = links.iter().find(|link| Some(link.index) == endpoint.link_index()) {
            peer.endpoint = Some(endpoint.clone().called(&link.name));
        }
    }
    Ok(())
}
