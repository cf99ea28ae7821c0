//! The operations on filters.

use nix::errno::Errno;

use super::{
    filter::{CHAIN, Filter, FilterPlace, FilterSpec},
    parent::FilterParent,
};
use crate::{
    error::{NetlinkError, Result},
    link_ref::LinkRef,
    netlink::message::Message,
    netlink::request::Request,
    netlink::socket::Group,
    network::Network,
    qdisc::{Handle, tc_message},
};

/// The filters of a network.
#[derive(Clone, Copy, Debug)]
pub struct Filters<'a> {
    network: &'a Network,
}

impl Network {
    pub const fn filters(&self) -> Filters<'_> {
        Filters { network: self }
    }
}

impl Filters<'_> {
    /// Lists the filters of a link, at one parent or at all. Fails with `EAGAIN` if they keep changing while they are listed.
    pub async fn list(&self, link: &LinkRef, parent: Option<FilterParent>) -> Result<Vec<Filter>> {
        let index = self.network.links().get(link).await?.index;
        let parents = match parent {
            Some(parent) => vec![parent],
            None => self.parents(index).await?,
        };
        let mut filters = Vec::new();
        for parent in parents {
            match self.at(index, parent).await {
                // The parent cannot have filters, or was deleted meanwhile.
                Err(error) if matches!(error.errno, Errno::EINVAL | Errno::ENOENT | Errno::EOPNOTSUPP) => {}
                outcome => {
                    let target = format_args!("{parent} of link {link}");
                    filters.extend(outcome.map_err(|error| error.of("RTM_GETTFILTER", target))?);
                }
            }
        }
        Ok(filters)
    }

    /// Returns the queueing disciplines and the classes of a link.
    async fn parents(&self, link: u32) -> Result<Vec<FilterParent>> {
        let link = LinkRef::Index(link);
        let mut parents = Vec::new();
        for qdisc in self.network.qdiscs().list(Some(&link)).await? {
            match qdisc.kind.name() {
                "ingress" => parents.push(FilterParent::INGRESS),
                "clsact" => parents.extend([FilterParent::INGRESS, FilterParent::EGRESS]),
                _ if qdisc.handle != Handle::NONE => parents.push(FilterParent(qdisc.handle)),
                _ => {}
            }
        }
        let classes = self.network.classes().list(Some(&link)).await?;
        parents.extend(classes.into_iter().map(|class| FilterParent(class.handle)));
        Ok(parents)
    }

    async fn at(&self, link: u32, parent: FilterParent) -> std::result::Result<Vec<Filter>, NetlinkError> {
        let request = Request::dump(tc_message(libc::RTM_GETTFILTER, link, parent.0, 0, 0));
        self.network.dump_unchanged(request, &Filter::read, &[Group::Tc]).await
    }

    /// Adds a filter.
    pub async fn add(&self, link: &LinkRef, spec: &FilterSpec) -> Result<()> {
        self.make(link, spec, Request::create).await
    }

    /// Adds a filter, or replaces the one with the same priority and handle.
    pub async fn replace(&self, link: &LinkRef, spec: &FilterSpec) -> Result<()> {
        self.make(link, spec, Request::replace).await
    }

    /// Deletes a filter, or without a handle all filters of a priority.
    pub async fn delete(&self, link: &LinkRef, place: &FilterPlace, kind: Option<&str>) -> Result<()> {
        let index = self.network.links().index(link).await?;
        let mut message = tc_message(libc::RTM_DELTFILTER, index, place.parent.0, place.handle, place.info());
        if let Some(kind) = kind {
            message.attributes.put_text(libc::TCA_KIND, kind);
        }
        if let Some(chain) = place.chain {
            message.attributes.put_u32(CHAIN, chain);
        }
        let outcome = self.network.conversation().act(Request::act(message)).await;
        outcome.map_err(|error| error.of("RTM_DELTFILTER", format_args!("{} of link {link}", place.parent)))
    }

    async fn make(&self, link: &LinkRef, spec: &FilterSpec, request: fn(Message) -> Request) -> Result<()> {
        let links = self.network.links();
        let index = links.index(link).await?;
        let mut of_actions = Vec::with_capacity(spec.actions.len());
        for action in &spec.actions {
            of_actions.push(match action.kind.link() {
                Some(link) => links.index(link).await?,
                None => 0,
            });
        }
        let place = spec.place;
        let mut message = tc_message(libc::RTM_NEWTFILTER, index, place.parent.0, place.handle, place.info());
        message.attributes.put_text(libc::TCA_KIND, spec.kind.name());
        if let Some(chain) = place.chain {
            message.attributes.put_u32(CHAIN, chain);
        }
        let options = spec.kind.options(place.protocol.into(), spec.class, &spec.actions, &of_actions);
        message.attributes.put(libc::TCA_OPTIONS, &options);
        let outcome = self.network.conversation().act(request(message)).await;
        let target = format_args!("{} of link {link}", place.parent);
        outcome.map_err(|error| error.of_kind("RTM_NEWTFILTER", target, spec.kind.name()))
    }
}
