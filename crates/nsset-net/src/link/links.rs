//! What can be done with links.

use std::{
    collections::{BTreeMap, BTreeSet},
    os::fd::{AsRawFd, BorrowedFd, OwnedFd},
};

use netlink_packet_route::{
    RouteNetlinkMessage,
    link::{LinkAttribute, LinkExtentMask},
};
use nix::errno::Errno;

use super::{
    add,
    changes::{LinkBuilder, LinkChanges, LinkState, Master},
    ensure,
    kept::Kept,
    link::Link,
    spec::LinkSpec,
    undo::Undo,
    veth::VethPeer,
};
use crate::{
    address::AddressSpec,
    error::{Error, KernelError, Refusal, Result},
    link_ref::LinkRef,
    netlink::conversation::ATTEMPTS,
    netlink::request::Request,
    network::Network,
};

/// The links of a network.
#[derive(Clone, Copy, Debug)]
pub struct Links<'a> {
    network: &'a Network,
}

impl<'a> Links<'a> {
    pub(crate) const fn of(network: &'a Network) -> Self {
        Self { network }
    }

    /// All of them.
    ///
    /// Where links come and go meanwhile, the kernel says that its list may be wrong. It is asked again then, and what an earlier
    /// list has beyond that is looked at by itself, until a list has no link that should have been in one before.
    pub async fn list(&self) -> Result<Vec<Link>> {
        let conversation = self.network.conversation();
        let mut request = Request::dump(RouteNetlinkMessage::GetLink(unaddressed().build()));
        let mut known: BTreeMap<u32, Link> = BTreeMap::new();
        let mut newest = None;
        for _ in 0..ATTEMPTS {
            let dump = conversation.dump_once(&mut request, &|message| Link::read(message).map(Some)).await;
            let dump = dump.map_err(|refusal| refusal.of("RTM_GETLINK", ""))?;
            let is_interrupted = dump.is_interrupted;
            let links = dump.into_all();
            if !is_interrupted {
                return Ok(links);
            }
            let listed: BTreeSet<u32> = links.iter().map(|link| link.index).collect();
            // A link that is made later has a higher index.
            let newest = *newest.get_or_insert_with(|| listed.last().copied().unwrap_or(0));
            let is_first = known.is_empty();
            let has_more = listed.range(..=newest).any(|index| !known.contains_key(index));
            known.extend(links.into_iter().map(|link| (link.index, link)));
            if !is_first && !has_more {
                return self.those_left_of(known, &listed).await;
            }
        }
        Err(Refusal::from(Errno::EAGAIN).of("RTM_GETLINK", ""))
    }

    /// Those that were just listed, and of the others those that are still there.
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

    /// This one.
    pub async fn get(&self, link: &LinkRef) -> Result<Link> {
        if let LinkRef::Alias(alias) = link {
            return self.by_alias(alias).await;
        }
        self.look(link).await
    }

    /// This one, which is no alias.
    async fn look(&self, link: &LinkRef) -> Result<Link> {
        let request = Request::act(RouteNetlinkMessage::GetLink(addressed_to(link).build()));
        let found = self.network.conversation().get(request, Link::read).await;
        found.map_err(|refusal| refusal.of("RTM_GETLINK", link))
    }

    /// Makes one. When that fails, there is none.
    pub async fn add(&self, spec: &LinkSpec) -> Result<Link> {
        add::add(self.network, spec).await
    }

    /// Makes a TUN or TAP with a descriptor of `/dev/net/tun` that was opened in this network. When that fails, there is none.
    pub async fn add_tun(&self, spec: &LinkSpec, device: OwnedFd) -> Result<Link> {
        add::add_tun(self.network, spec, device).await
    }

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
        if let Some(difference) = ensure::difference(self.network, &link, spec).await? {
            return Err(refused(difference));
        }
        let end = match &spec.peer {
            Some(peer) => ensure::other_end(self.network, &link, peer).await?.map_err(refused)?,
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

    /// Has a link become as this says, where it is not so already.
    async fn put_right(&self, link: &Link, called: &LinkRef, state: &LinkState) -> Result<Undo> {
        let mut changes = LinkChanges { name: None, state: state.clone() }.without_those_of(link);
        if self.master(state).await? == Some(link.master.unwrap_or(0)) {
            changes.state.master = None;
        }
        self.change(link, called, &changes).await
    }

    /// Changes one. When that fails, it is as it was.
    pub async fn set(&self, link: &LinkRef, changes: &LinkChanges) -> Result<()> {
        changes.state.check()?;
        if changes.is_one_step() && !matches!(link, LinkRef::Alias(_)) {
            return self.request_change(link, link, changes).await;
        }
        let before = self.get(link).await?;
        self.change(&before, link, changes).await.map(drop)
    }

    /// Changes one, or leaves it as it was. Answers with how that is done later.
    async fn change(&self, before: &Link, called: &LinkRef, changes: &LinkChanges) -> Result<Undo> {
        let kept =
            if changes.loses_addresses(before) { Some(Kept::of(self.network, before.index).await?) } else { None };
        let mut undo = Undo { before: before.clone(), changes: changes.undone(before), added: Vec::new(), kept };
        match self.set_for_good(before.index, before.up, called, changes).await {
            Ok(added) => {
                undo.added = added;
                Ok(undo)
            }
            Err(error) => {
                undo.undo(self.network).await;
                Err(error)
            }
        }
    }

    /// Changes one, and leaves it half changed when that fails, but for its addresses. Errors call it as it is `called`.
    /// Answers with the addresses that it did not have.
    pub(crate) async fn set_for_good(
        &self,
        index: u32,
        is_up: bool,
        called: &LinkRef,
        changes: &LinkChanges,
    ) -> Result<Vec<AddressSpec>> {
        let link = &LinkRef::Index(index);
        let rest = changes.but_up();
        match changes.state.up {
            Some(false) if is_up && rest.count() > 0 => self.change_and_bring_down(index, called, &rest).await?,
            // Within a request the kernel brings it up first, and a bond takes no link that is up.
            Some(true) if !is_up && matches!(changes.state.master, Some(Master::Link(_))) => {
                self.request_change(link, called, &rest).await?;
                self.request_change(link, called, &LinkChanges::only_up(true)).await?;
            }
            _ if changes.count() > 0 => self.request_change(link, called, changes).await?,
            _ => {}
        }
        self.network.addresses().add_all(index, called, &changes.state.addresses).await
    }

    /// Changes one that is up, and brings it down. What goes wrong does so before it is down, where it can: with a link that
    /// goes down go IPv6 addresses and routes.
    async fn change_and_bring_down(&self, index: u32, called: &LinkRef, rest: &LinkChanges) -> Result<()> {
        let link = &LinkRef::Index(index);
        let down = LinkChanges::only_up(false);
        match self.request_change(link, called, rest).await {
            Ok(()) => return self.request_change(link, called, &down).await,
            // What the kernel says of what cannot be changed while the link is up; and a bond of such a port.
            Err(error) if matches!(error.errno(), Some(Errno::EBUSY | Errno::EPERM)) => {}
            Err(error) => return Err(error),
        }
        if let Some(name) = &rest.name {
            self.ensure_free(name, index, called).await?;
        }
        self.request_change(link, called, &down).await?;
        self.request_change(link, called, rest).await
    }

    /// Refuses a name that another link has.
    async fn ensure_free(&self, name: &str, index: u32, called: &LinkRef) -> Result<()> {
        match self.get(&LinkRef::Name(name.into())).await {
            Ok(link) if link.index != index => Err(Refusal::from(Errno::EEXIST).of("RTM_SETLINK", called)),
            _ => Ok(()),
        }
    }

    /// Takes one away; a veth goes with its other end.
    ///
    /// With `force` it is no error when there is none.
    pub async fn delete(&self, link: &LinkRef, force: bool) -> Result<()> {
        let outcome = self.try_delete(link).await;
        match outcome {
            Err(error) if force && error.errno() == Some(Errno::ENODEV) => Ok(()),
            outcome => outcome,
        }
    }

    /// Moves one into another network namespace, where it arrives down and without addresses.
    pub async fn move_to(&self, link: &LinkRef, namespace: BorrowedFd<'_>) -> Result<()> {
        let message = addressed_to(&self.unaliased(link).await?).setns_by_fd(namespace.as_raw_fd()).build();
        let outcome = self.network.conversation().act(Request::act(RouteNetlinkMessage::SetLink(message))).await;
        outcome.map_err(|refusal| refusal.of("RTM_SETLINK", link))
    }

    /// The index of a link, which has to exist unless it is known by its index.
    pub async fn index(&self, link: &LinkRef) -> Result<u32> {
        match link {
            LinkRef::Index(index) => Ok(*index),
            _ => self.get(link).await.map(|link| link.index),
        }
    }

    /// The index of the master that a link is to have; 0 for none at all.
    pub(crate) async fn master(&self, state: &LinkState) -> Result<Option<u32>> {
        match &state.master {
            Some(Master::Link(master)) => self.index(master).await.map(Some),
            Some(Master::Nobody) => Ok(Some(0)),
            None => Ok(None),
        }
    }

    async fn try_delete(&self, link: &LinkRef) -> Result<()> {
        let request = Request::act(RouteNetlinkMessage::DelLink(addressed_to(&self.unaliased(link).await?).build()));
        let outcome = self.network.conversation().act(request).await;
        outcome.map_err(|refusal| refusal.of("RTM_DELLINK", link))
    }

    pub(super) async fn request_change(&self, link: &LinkRef, called: &LinkRef, changes: &LinkChanges) -> Result<()> {
        let master = self.master(&changes.state).await?;
        let message = changes.write(master, addressed_to(link)).build();
        let outcome = self.network.conversation().act(Request::act(RouteNetlinkMessage::SetLink(message))).await;
        let Err(refusal) = outcome else { return Ok(()) };
        if let (Errno::EINVAL, Some(index @ 1..)) = (refusal.errno, master) {
            // What the kernel says of a master that is not there: do_set_master() of net/core/rtnetlink.c.
            self.get(&index.into()).await?;
        }
        Err(refusal.of("RTM_SETLINK", called))
    }

    /// A reference that the kernel understands, which knows no aliases.
    async fn unaliased(&self, link: &LinkRef) -> Result<LinkRef> {
        match link {
            LinkRef::Alias(alias) => self.by_alias(alias).await.map(|link| link.reference()),
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
        found.pop().ok_or_else(|| Refusal::from(Errno::ENODEV).of("RTM_GETLINK", LinkRef::Alias(alias.into())))
    }
}

/// A message about this link.
fn addressed_to(link: &LinkRef) -> LinkBuilder {
    match link {
        LinkRef::Index(index) => unaddressed().index(*index),
        LinkRef::Name(name) | LinkRef::Alias(name) => unaddressed().name(name.as_str()),
    }
}

/// A message about no link yet. Without a filter the kernel does not look how long a description can get, and ends a list
/// before a link that has a long one, without a word: rtnl_calcit() of net/core/rtnetlink.c. This one asks for nothing more but of
/// bridges, in lists of bridges.
fn unaddressed() -> LinkBuilder {
    LinkBuilder::new().append_extra_attribute(LinkAttribute::ExtMask(vec![LinkExtentMask::Mrp]))
}
