//! The operations on forwarding entries.

use super::{
    entry::Header,
    forwarding_entry::{ForwardingEntry, ForwardingEntrySpec},
};
use crate::{
    error::Result, link_ref::LinkRef, netlink::message::Message, netlink::request::Request, netlink::socket::Group,
    network::Network,
};

/// What reports that entries changed.
const GROUPS: [Group; 2] = [Group::Link, Group::Neigh];

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
        let index = self.network.links().optional_index(link).await?;
        let is_wanted = |entry: &ForwardingEntry| is_wanted(entry, index);
        let read = |message: &[u8]| ForwardingEntry::read(message).map(|entry| entry.filter(is_wanted));
        let entries = self.network.dump_unchanged(dump(), &read, &GROUPS).await;
        entries.map_err(|error| error.of("RTM_GETNEIGH", ""))
    }

    /// Passes on the entries as they arrive. Returns whether these are all: if not, because they changed meanwhile, the caller has to
    /// forget these and to [`list`](Self::list) them.
    pub async fn each(&self, link: Option<&LinkRef>, mut on_entry: impl FnMut(ForwardingEntry) + Send) -> Result<bool> {
        let index = self.network.links().optional_index(link).await?;
        let mut on_object = |message: &[u8]| {
            let entry = ForwardingEntry::read(message)?.filter(|entry| is_wanted(entry, index));
            entry.into_iter().for_each(&mut on_entry);
            Ok(())
        };
        let is_whole = self.network.conversation().dump_each(dump(), &mut on_object, &GROUPS).await;
        is_whole.map_err(|error| error.of("RTM_GETNEIGH", ""))
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

fn dump() -> Request {
    let header = Header { family: libc::AF_BRIDGE as u8, link: 0, state: 0, flags: 0 };
    Request::dump(header.message(libc::RTM_GETNEIGH))
}

fn is_wanted(entry: &ForwardingEntry, link: Option<u32>) -> bool {
    link.is_none_or(|link| entry.link == link)
}
