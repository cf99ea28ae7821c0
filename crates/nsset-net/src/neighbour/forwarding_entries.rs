//! The operations on forwarding entries.

use super::{
    entry::Header,
    forwarding_entry::{ForwardingEntry, ForwardingEntrySpec},
};
use crate::{
    error::Result, link_ref::LinkRef, netlink::message::Message, netlink::request::Request, netlink::socket::Group,
    network::Network,
};

/// The forwarding entries of the bridges and VXLANs of a network.
#[derive(Clone, Copy, Debug)]
pub struct ForwardingEntries<'a> {
    network: &'a Network,
}

impl Network {
    pub const fn forwarding_entries(&self) -> ForwardingEntries<'_> {
        ForwardingEntries { network: self }
    }
}

impl ForwardingEntries<'_> {
    /// Lists the entries with frames leaving through a link, or all. Fails with `EAGAIN` if they keep changing while they are
    /// listed.
    pub async fn list(&self, link: Option<&LinkRef>) -> Result<Vec<ForwardingEntry>> {
        let index = match link {
            Some(link) => Some(self.network.links().get(link).await?.index),
            None => None,
        };
        let message = Header { family: libc::AF_BRIDGE as u8, link: 0, state: 0, flags: 0 }.message(libc::RTM_GETNEIGH);
        let is_wanted = |entry: &ForwardingEntry| index.is_none_or(|index| entry.link == index);
        let read = |message: &[u8]| ForwardingEntry::read(message).map(|entry| entry.filter(is_wanted));
        let groups = [Group::Link, Group::Neigh];
        let entries = self.network.dump_unchanged(Request::dump(message), &read, &groups).await;
        entries.map_err(|error| error.of("RTM_GETNEIGH", ""))
    }

    /// Adds an entry.
    pub async fn add(&self, link: &LinkRef, spec: &ForwardingEntrySpec) -> Result<()> {
        self.send(link, spec, libc::RTM_NEWNEIGH, Request::create).await
    }

    /// Adds a further destination to the entry of a VXLAN for the same address.
    pub async fn append(&self, link: &LinkRef, spec: &ForwardingEntrySpec) -> Result<()> {
        self.send(link, spec, libc::RTM_NEWNEIGH, Request::append).await
    }

    /// Adds an entry, or replaces the one for the same address.
    pub async fn replace(&self, link: &LinkRef, spec: &ForwardingEntrySpec) -> Result<()> {
        self.send(link, spec, libc::RTM_NEWNEIGH, Request::replace).await
    }

    /// Deletes an entry.
    pub async fn delete(&self, link: &LinkRef, spec: &ForwardingEntrySpec) -> Result<()> {
        self.send(link, spec, libc::RTM_DELNEIGH, Request::act).await
    }

    async fn send(
        &self,
        link: &LinkRef,
        spec: &ForwardingEntrySpec,
        kind: u16,
        request: fn(Message) -> Request,
    ) -> Result<()> {
        let links = self.network.links();
        let index = links.index(link).await?;
        let via = match &spec.via {
            Some(via) => Some(links.index(via).await?),
            None => None,
        };
        let outcome = self.network.conversation().act(request(spec.message(kind, index, via))).await;
        let name = if kind == libc::RTM_DELNEIGH { "RTM_DELNEIGH" } else { "RTM_NEWNEIGH" };
        outcome.map_err(|error| error.of(name, format_args!("{spec} of link {link}")))
    }
}
