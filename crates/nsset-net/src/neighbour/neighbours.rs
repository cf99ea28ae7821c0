//! The operations on neighbours.

use super::{
    NTF_PROXY,
    entry::Header,
    neighbour::{Neighbour, NeighbourSpec},
};
use crate::{
    error::{NetlinkError, Result},
    link_ref::LinkRef,
    netlink::message::Message,
    netlink::request::Request,
    netlink::socket::Group,
    network::Network,
};

/// The neighbours of a network.
#[derive(Clone, Copy, Debug)]
pub struct Neighbours<'a> {
    network: &'a Network,
}

impl Network {
    pub const fn neighbours(&self) -> Neighbours<'_> {
        Neighbours { network: self }
    }
}

impl Neighbours<'_> {
    /// Lists the neighbours and the proxies of a link, or of all links. Fails with `EAGAIN` if they keep changing while they are
    /// listed.
    pub async fn list(&self, link: Option<&LinkRef>) -> Result<Vec<Neighbour>> {
        let index = match link {
            Some(link) => Some(self.network.links().get(link).await?.index),
            None => None,
        };
        let mut neighbours = self.dump(index, 0).await.map_err(|error| error.of("RTM_GETNEIGH", ""))?;
        neighbours.extend(self.dump(index, NTF_PROXY).await.map_err(|error| error.of("RTM_GETNEIGH", ""))?);
        Ok(neighbours)
    }

    async fn dump(&self, link: Option<u32>, flags: u8) -> std::result::Result<Vec<Neighbour>, NetlinkError> {
        let message = Header { family: 0, link: 0, state: 0, flags }.message(libc::RTM_GETNEIGH);
        let is_wanted = |neighbour: &Neighbour| link.is_none_or(|link| neighbour.link == link);
        let read = |message: &[u8]| Neighbour::read(message).map(|neighbour| neighbour.filter(is_wanted));
        self.network.dump_unchanged(Request::dump(message), &read, &[Group::Link, Group::Neigh]).await
    }

    /// Adds a neighbour, or a proxy.
    pub async fn add(&self, link: &LinkRef, spec: &NeighbourSpec) -> Result<()> {
        self.send(link, spec, libc::RTM_NEWNEIGH, Request::create).await
    }

    /// Adds a neighbour, or replaces the one with the same address.
    pub async fn replace(&self, link: &LinkRef, spec: &NeighbourSpec) -> Result<()> {
        self.send(link, spec, libc::RTM_NEWNEIGH, Request::replace).await
    }

    /// Deletes the neighbour, or the proxy, with this address.
    pub async fn delete(&self, link: &LinkRef, spec: &NeighbourSpec) -> Result<()> {
        self.send(link, spec, libc::RTM_DELNEIGH, Request::act).await
    }

    async fn send(
        &self,
        link: &LinkRef,
        spec: &NeighbourSpec,
        kind: u16,
        request: fn(Message) -> Request,
    ) -> Result<()> {
        let index = self.network.links().index(link).await?;
        let outcome = self.network.conversation().act(request(spec.message(kind, index))).await;
        let name = if kind == libc::RTM_DELNEIGH { "RTM_DELNEIGH" } else { "RTM_NEWNEIGH" };
        outcome.map_err(|error| error.of(name, format_args!("{spec} of link {link}")))
    }
}
