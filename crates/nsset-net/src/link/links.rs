//! Lists, finds, deletes and moves links, and sends requests that change them.

use std::collections::{BTreeMap, BTreeSet};

use netlink_packet_core::DefaultNla;
use netlink_packet_route::{
    RouteNetlinkMessage,
    link::{LinkAttribute, LinkInfo},
};
use nix::errno::Errno;

use super::{
    changes::{LinkBuilder, LinkChanges, LinkState, Master},
    filter,
    kinds::LinkKind,
    link::Link,
    properties::Port,
    spec::LinkSpec,
};
use crate::{
    error::{Error, NetlinkError, Result},
    link_ref::LinkRef,
    netlink::conversation::ATTEMPTS,
    netlink::request::Request,
    netlink::socket,
    network::Network,
};

/// The links of a network.
#[derive(Clone, Copy, Debug)]
pub struct Links<'a> {
    pub(super) network: &'a Network,
}

impl Network {
    pub const fn links(&self) -> Links<'_> {
        Links { network: self }
    }
}

impl Links<'_> {
    /// Lists all links.
    ///
    /// If links appear or disappear during a dump, the kernel reports that the dump may be inconsistent. The dump is then
    /// repeated, and links that only an earlier dump has are read one by one, until a dump has no link that an earlier one has
    /// missed.
    pub async fn list(&self) -> Result<Vec<Link>> {
        let conversation = self.network.conversation();
        let mut asked = filter::filter();
        let mut request = Request::dump(RouteNetlinkMessage::GetLink(unaddressed().build()));
        let mut known: BTreeMap<u32, Link> = BTreeMap::new();
        let mut newest = None;
        for _ in 0..ATTEMPTS {
            let dump = conversation.dump_once(&mut request, &|message| filter::read(message).map(Some)).await;
            let dump = dump.map_err(|error| error.of("RTM_GETLINK", ""))?;
            if filter::filter() != asked {
                asked = filter::filter();
                request = Request::dump(RouteNetlinkMessage::GetLink(unaddressed().build()));
                continue;
            }
            let is_interrupted = dump.is_interrupted;
            let links = dump.into_all();
            if !is_interrupted || self.network.is_tolerant() {
                return Ok(links);
            }
            let listed: BTreeSet<u32> = links.iter().map(|link| link.index).collect();
            // A link that is created later has a higher index.
            let newest = *newest.get_or_insert_with(|| listed.last().copied().unwrap_or(0));
            let is_first = known.is_empty();
            let has_more = listed.range(..=newest).any(|index| !known.contains_key(index));
            known.extend(links.into_iter().map(|link| (link.index, link)));
            if !is_first && !has_more {
                return self.those_left_of(known, &listed).await;
            }
        }
        Err(NetlinkError::from(Errno::EAGAIN).of("RTM_GETLINK", ""))
    }

    /// Passes on each link of one dump as it arrives, which takes less memory than a list. Returns whether these are all links: if
    /// not, because links appeared or disappeared meanwhile, or were sent without counters, the caller has to [`list`](Self::list) them.
    pub async fn each(&self, mut on_link: impl FnMut(Link) + Send) -> Result<bool> {
        let asked = filter::filter();
        let request = Request::dump(RouteNetlinkMessage::GetLink(unaddressed().build()));
        let mut on_object = |message: &[u8]| filter::read(message).map(&mut on_link);
        let is_whole = self.network.conversation().dump_each(request, &mut on_object, &[]).await;
        let is_whole = is_whole.map_err(|error| error.of("RTM_GETLINK", ""))?;
        Ok(is_whole && filter::filter() == asked)
    }

    /// Returns the listed links, and those of the others that still exist.
    async fn those_left_of(&self, known: BTreeMap<u32, Link>, listed: &BTreeSet<u32>) -> Result<Vec<Link>> {
        let mut links = Vec::with_capacity(known.len());
        for (index, link) in known {
            if listed.contains(&index) {
                links.push(link);
                continue;
            }
            match self.look(&LinkRef::Index(index)).await {
                Err(error) if error.errno() == Some(Errno::ENODEV) => {}
                outcome => links.push(outcome?),
            }
        }
        Ok(links)
    }

    /// Returns a link.
    pub async fn get(&self, link: &LinkRef) -> Result<Link> {
        if let LinkRef::Alias(alias) = link {
            // In a box, because the future of a list is many times as large as that of one request.
            return Box::pin(self.by_alias(alias)).await;
        }
        self.look(link).await
    }

    /// Returns a link that is not referred to by its alias.
    async fn look(&self, link: &LinkRef) -> Result<Link> {
        loop {
            let asked = filter::filter();
            let request = Request::act(RouteNetlinkMessage::GetLink(addressed_to(link).build()));
            let found = self.network.conversation().get(request, filter::read).await;
            let found = found.map_err(|error| error.of("RTM_GETLINK", link))?;
            if filter::filter() == asked {
                return Ok(found);
            }
        }
    }

    /// Deletes a link. With a veth, the kernel also deletes its other end.
    ///
    /// With `force` it is not an error if the link does not exist.
    pub async fn delete(&self, link: &LinkRef, force: bool) -> Result<()> {
        let outcome = self.try_delete(link).await;
        match outcome {
            Err(error) if force && error.errno() == Some(Errno::ENODEV) => Ok(()),
            outcome => outcome,
        }
    }

    /// Returns the index of a link. A link that is referred to by its index does not have to exist.
    pub async fn index(&self, link: &LinkRef) -> Result<u32> {
        let known = match link {
            LinkRef::Index(index) => Some(*index),
            LinkRef::Name(name) => socket::link_index(self.network.conversation().socket(), name),
            LinkRef::Alias(_) => None,
        };
        match known {
            Some(index) => Ok(index),
            // The error has the kernel's words.
            None => self.get(link).await.map(|link| link.index),
        }
    }

    /// Returns the index of a link that exists, if there is a reference.
    pub(crate) async fn optional_index(&self, link: Option<&LinkRef>) -> Result<Option<u32>> {
        match link {
            Some(link) => self.get(link).await.map(|link| Some(link.index)),
            None => Ok(None),
        }
    }

    /// Returns the index of the wanted master; 0 for no master, `None` for no change.
    pub(crate) async fn master(&self, state: &LinkState) -> Result<Option<u32>> {
        match &state.master {
            Some(Master::Link(master)) => self.index(master).await.map(Some),
            Some(Master::None) => Ok(Some(0)),
            None => Ok(None),
        }
    }

    /// Returns the specification of a link whose kind refers to other links, with the indexes of these.
    pub(super) async fn indexed(&self, spec: &LinkSpec) -> Result<Option<LinkSpec>> {
        let kind = self.indexed_kind(&spec.kind).await?;
        Ok(kind.map(|kind| LinkSpec { kind, ..spec.clone() }))
    }

    async fn indexed_kind(&self, kind: &LinkKind) -> Result<Option<LinkKind>> {
        let LinkKind::Bond(bond) = kind else { return Ok(None) };
        let mut bond = bond.clone();
        for port in [&mut bond.primary, &mut bond.active_port].into_iter().flatten() {
            *port = LinkRef::Index(self.index(port).await?);
        }
        Ok(Some(LinkKind::Bond(bond)))
    }

    async fn try_delete(&self, link: &LinkRef) -> Result<()> {
        let request = Request::act(RouteNetlinkMessage::DelLink(addressed_to(&self.unaliased(link).await?).build()));
        let outcome = self.network.conversation().act(request).await;
        outcome.map_err(|error| error.of("RTM_DELLINK", link))
    }

    pub(super) async fn request_change(&self, link: &LinkRef, called: &LinkRef, changes: &LinkChanges) -> Result<()> {
        let master = self.master(&changes.state).await?;
        let message = changes.write(master, addressed_to(link)).build();
        let outcome = self.network.conversation().act(Request::act(RouteNetlinkMessage::SetLink(message))).await;
        let Err(error) = outcome else { return Ok(()) };
        if let (Errno::EINVAL, Some(index @ 1..)) = (error.errno, master) {
            // The kernel returns EINVAL if the master does not exist: do_set_master() of net/core/rtnetlink.c.
            self.get(&index.into()).await?;
        }
        Err(error.of("RTM_SETLINK", called))
    }

    /// Makes the changes that need requests of their own: the settings of its kind and as a port, and the alternative names.
    pub(super) async fn request_more(&self, index: u32, called: &LinkRef, changes: &LinkChanges) -> Result<()> {
        if let Some(kind) = &changes.kind {
            self.request_kind(index, called, kind).await?;
        }
        if !changes.state.port.is_empty() {
            self.request_port(index, called, &changes.state.port).await?;
        }
        match &changes.state.alt_names {
            Some(names) => self.set_alt_names(index, called, names).await,
            None => Ok(()),
        }
    }

    async fn request_kind(&self, index: u32, called: &LinkRef, kind: &LinkKind) -> Result<()> {
        let found = self.get(&index.into()).await?.kind;
        if found.name() != kind.name() {
            let why = format!("the link {called} is a {}, not a {}", found.name(), kind.name());
            return Err(Error::InvalidArgument(why));
        }
        let indexed = self.indexed_kind(kind).await?;
        let kind = indexed.as_ref().unwrap_or(kind);
        let message = LinkBuilder::new_with_info_kind(kind.name().into()).index(index);
        let message = match kind.data(None, None) {
            Some(data) => message.set_info_data(data),
            None => message,
        };
        self.request_info(called, message).await
    }

    async fn request_port(&self, index: u32, called: &LinkRef, port: &Port) -> Result<()> {
        let found = self.get(&index.into()).await?;
        let master = match found.master {
            Some(master) => Some(self.get(&master.into()).await?.kind.name().to_owned()),
            None => None,
        };
        let settings = port.bytes_for(master.as_deref())?;
        if settings.is_empty() {
            return Ok(());
        }
        let data = DefaultNla::new(libc::IFLA_INFO_SLAVE_DATA, settings);
        let message =
            unaddressed().index(index).append_extra_attribute(LinkAttribute::LinkInfo(vec![LinkInfo::Other(data)]));
        self.request_info(called, message).await
    }

    /// Sends settings of a kind or of a port, which `RTM_SETLINK` does not take: do_setlink() of net/core/rtnetlink.c.
    async fn request_info(&self, called: &LinkRef, message: LinkBuilder) -> Result<()> {
        let request = Request::act(RouteNetlinkMessage::NewLink(message.build()));
        let outcome = self.network.conversation().act(request).await;
        outcome.map_err(|error| error.of("RTM_SETLINK", called))
    }

    /// Returns a reference that the kernel can look up, which it cannot by an alias.
    pub(super) async fn unaliased(&self, link: &LinkRef) -> Result<LinkRef> {
        match link {
            LinkRef::Alias(alias) => Box::pin(self.by_alias(alias)).await.map(|link| link.reference()),
            _ => Ok(link.clone()),
        }
    }

    async fn by_alias(&self, alias: &str) -> Result<Link> {
        let mut found = self.list().await?;
        found.retain(|link| link.alias.as_deref() == Some(alias));
        if found.len() > 1 {
            let links = found.into_iter().map(|link| link.name).collect();
            return Err(Error::Ambiguous { alias: alias.into(), links });
        }
        found.pop().ok_or_else(|| NetlinkError::from(Errno::ENODEV).of("RTM_GETLINK", LinkRef::Alias(alias.into())))
    }
}

/// `IFNAMSIZ` of linux/if.h, without the NUL. The kernel looks up a shorter name among the alternative names, too.
const NAME_MAX: usize = 15;

/// Returns a message about a link.
pub(super) fn addressed_to(link: &LinkRef) -> LinkBuilder {
    match link {
        LinkRef::Index(index) => unaddressed().index(*index),
        LinkRef::Name(name) if name.len() > NAME_MAX => {
            let name = DefaultNla::new(libc::IFLA_ALT_IFNAME, [name.as_bytes(), &[0]].concat());
            unaddressed().append_extra_attribute(LinkAttribute::Other(name))
        }
        LinkRef::Name(name) | LinkRef::Alias(name) => unaddressed().name(name.as_str()),
    }
}

/// Returns a message without a link.
fn unaddressed() -> LinkBuilder {
    LinkBuilder::new().append_extra_attribute(LinkAttribute::ExtMask(vec![filter::filter()]))
}
