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
            Some(parent) => vec![(index, parent)],
            None => self.parents(Some(&LinkRef::Index(index))).await?,
        };
        self.of(parents).await
    }

    /// Lists the filters of all links.
    pub(crate) async fn list_all(&self) -> Result<Vec<Filter>> {
        let parents = self.parents(None).await?;
        self.of(parents).await
    }

    async fn of(&self, parents: Vec<(u32, FilterParent)>) -> Result<Vec<Filter>> {
        let mut filters = Vec::new();
        for (link, parent) in parents {
            match self.at(link, parent).await {
                // The parent cannot have filters, or was deleted meanwhile.
                Err(error) if matches!(error.errno, Errno::EINVAL | Errno::ENOENT | Errno::EOPNOTSUPP) => {}
                outcome => {
                    let target = format_args!("{parent} of link {}", LinkRef::Index(link));
                    filters.extend(outcome.map_err(|error| error.of("RTM_GETTFILTER", target))?);
                }
            }
        }
        Ok(filters)
    }

    /// Returns the queueing disciplines and the classes of a link, or of all, with their links.
    async fn parents(&self, link: Option<&LinkRef>) -> Result<Vec<(u32, FilterParent)>> {
        let mut parents = Vec::new();
        for qdisc in self.network.qdiscs().list(link).await? {
            let mut add = |parent| parents.push((qdisc.link, parent));
            match qdisc.kind.name() {
                "ingress" => add(FilterParent::INGRESS),
                "clsact" => [FilterParent::INGRESS, FilterParent::EGRESS].into_iter().for_each(add),
                _ if qdisc.handle != Handle::NONE => add(FilterParent(qdisc.handle)),
                _ => {}
            }
        }
        let classes = self.network.classes().list(link).await?;
        parents.extend(classes.into_iter().map(|class| (class.link, FilterParent(class.handle))));
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
