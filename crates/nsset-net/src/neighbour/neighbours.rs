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

/// What reports that neighbours changed.
const GROUPS: [Group; 2] = [Group::Link, Group::Neigh];

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
        let index = self.network.links().optional_index(link).await?;
        let mut neighbours = self.dump(index, 0).await.map_err(|error| error.of("RTM_GETNEIGH", ""))?;
        neighbours.extend(self.dump(index, NTF_PROXY).await.map_err(|error| error.of("RTM_GETNEIGH", ""))?);
        Ok(neighbours)
    }

    /// Passes on the neighbours and the proxies of a link, or of all links, as they arrive. Returns whether these are all: if not,
    /// because they changed meanwhile, the caller has to forget these and to [`list`](Self::list) them.
    pub async fn each(&self, link: Option<&LinkRef>, mut on_neighbour: impl FnMut(Neighbour) + Send) -> Result<bool> {
        let index = self.network.links().optional_index(link).await?;
        for flags in [0, NTF_PROXY] {
            let mut on_object = |message: &[u8]| {
                let neighbour = Neighbour::read(message)?.filter(|neighbour| is_wanted(neighbour, index));
                neighbour.into_iter().for_each(&mut on_neighbour);
                Ok(())
            };
            let is_whole = self.network.conversation().dump_each(dump_of(flags), &mut on_object, &GROUPS).await;
            if !is_whole.map_err(|error| error.of("RTM_GETNEIGH", ""))? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn dump(&self, link: Option<u32>, flags: u8) -> std::result::Result<Vec<Neighbour>, NetlinkError> {
        let is_wanted = |neighbour: &Neighbour| is_wanted(neighbour, link);
        let read = |message: &[u8]| Neighbour::read(message).map(|neighbour| neighbour.filter(is_wanted));
        self.network.dump_unchanged(dump_of(flags), &read, &GROUPS).await
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

fn dump_of(flags: u8) -> Request {
    Request::dump(Header { family: 0, link: 0, state: 0, flags }.message(libc::RTM_GETNEIGH))
}

fn is_wanted(neighbour: &Neighbour, link: Option<u32>) -> bool {
    link.is_none_or(|link| neighbour.link == link)
}
