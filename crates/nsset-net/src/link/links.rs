//! What can be done with links.

use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use netlink_packet_route::{
    RouteNetlinkMessage,
    link::{LinkAttribute, LinkMessage},
};
use nix::errno::Errno;

use super::{
    add,
    changes::{LinkChanges, LinkState, Master},
    link::Link,
    spec::LinkSpec,
};
use crate::{
    error::{Error, KernelError, Refusal, Result},
    link_ref::LinkRef,
    network::Network,
    request::Request,
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
    pub async fn list(&self) -> Result<Vec<Link>> {
        let request = Request::dump(RouteNetlinkMessage::GetLink(LinkMessage::default()));
        let links = self.network.conversation().dump(request, |message| Link::read(message).map(Some)).await;
        links.map_err(|refusal| refusal.of("RTM_GETLINK", ""))
    }

    /// This one.
    pub async fn get(&self, link: &LinkRef) -> Result<Link> {
        link.check()?;
        if let LinkRef::Alias(alias) = link {
            return self.by_alias(alias).await;
        }
        let request = Request::act(RouteNetlinkMessage::GetLink(addressed_to(link)));
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

    /// Makes one, unless there is one of that name that could have been made so; that one becomes as its `state` says.
    ///
    /// A link of that name and of another kind, on another device, or with other data of its kind is an error.
    pub async fn ensure(&self, spec: &LinkSpec) -> Result<Link> {
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
        let Ok(link) = self.get(&LinkRef::Name(spec.name.clone())).await else {
            // It is something else that exists: a link of its peer's name, or a tunnel with its data.
            return Err(exists.into());
        };
        if let Some(difference) = self.difference(&link, spec).await? {
            return Err(Box::new(KernelError { hint: Some(difference.into()), ..*exists }).into());
        }
        self.set(&link.reference(), &LinkChanges { name: None, state: spec.state.clone() }).await?;
        self.get(&link.reference()).await
    }

    /// Changes one. When that fails, it is as it was.
    pub async fn set(&self, link: &LinkRef, changes: &LinkChanges) -> Result<()> {
        link.check()?;
        changes.check()?;
        let is_one_request = changes.count() <= 1 && changes.state.addresses.is_empty();
        if is_one_request && changes.name.is_none() && !matches!(link, LinkRef::Alias(_)) {
            return self.request_change(link, link, changes).await;
        }
        let before = self.get(link).await?;
        let outcome = self.set_for_good(before.index, link, changes).await;
        if outcome.is_err() {
            // The kernel keeps the changes it has made before one failed: do_setlink() of net/core/rtnetlink.c.
            let _ = self.request_change(&before.reference(), link, &changes.undone(&before)).await;
        }
        outcome
    }

    /// Changes one, and leaves it half changed when that fails, but for its addresses. Errors call it as it is `called`.
    pub(crate) async fn set_for_good(&self, index: u32, called: &LinkRef, changes: &LinkChanges) -> Result<()> {
        let link = &LinkRef::Index(index);
        if changes.state.up == Some(false) && changes.count() > 1 {
            // Within a request the kernel comes to it last, and links that are up cannot change everything.
            let down = LinkState { up: Some(false), ..LinkState::default() };
            self.request_change(link, called, &LinkChanges { name: None, state: down }).await?;
        }
        if changes.count() > 0 {
            self.request_change(link, called, changes).await?;
        }
        self.network.addresses().add_all(index, called, &changes.state.addresses).await
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
        let mut message = addressed_to(&self.unaliased(link).await?);
        message.attributes.push(LinkAttribute::NetNsFd(namespace.as_raw_fd()));
        let outcome = self.network.conversation().act(Request::act(RouteNetlinkMessage::SetLink(message))).await;
        outcome.map_err(|refusal| refusal.of("RTM_SETLINK", link))
    }

    /// The index of a link, which has to exist unless it is known by its index.
    pub async fn index(&self, link: &LinkRef) -> Result<u32> {
        match link {
            LinkRef::Index(index) => link.check().map(|()| *index),
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

    /// Why the link is not one that was made as this says.
    async fn difference(&self, link: &Link, spec: &LinkSpec) -> Result<Option<String>> {
        if link.kind.name() != spec.kind.name() {
            return Ok(Some(format!("it is a {}, not a {}", link.kind.name(), spec.kind.name())));
        }
        let dev = link.dev.map(|dev| dev.index);
        let wanted = match &spec.dev {
            Some(dev) => Some(self.index(dev).await?),
            None => dev,
        };
        if dev != wanted {
            return Ok(Some("it was made on another device".into()));
        }
        let has_data = link.kind.has_data_of(&spec.kind);
        Ok((!has_data).then(|| format!("it is a {}, but with other settings", link.kind.name())))
    }

    async fn try_delete(&self, link: &LinkRef) -> Result<()> {
        let request = Request::act(RouteNetlinkMessage::DelLink(addressed_to(&self.unaliased(link).await?)));
        let outcome = self.network.conversation().act(request).await;
        outcome.map_err(|refusal| refusal.of("RTM_DELLINK", link))
    }

    async fn request_change(&self, link: &LinkRef, called: &LinkRef, changes: &LinkChanges) -> Result<()> {
        let master = self.master(&changes.state).await?;
        let mut message = addressed_to(link);
        changes.write(master, &mut message);
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
        link.check()?;
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
fn addressed_to(link: &LinkRef) -> LinkMessage {
    let mut message = LinkMessage::default();
    match link {
        LinkRef::Index(index) => message.header.index = *index,
        LinkRef::Name(name) | LinkRef::Alias(name) => message.attributes.push(LinkAttribute::IfName(name.clone())),
    }
    message
}
