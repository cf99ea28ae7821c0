//! Creates a link, with one request if possible. If a later request fails, the link is deleted again.

use std::os::fd::{AsFd, OwnedFd};

use netlink_packet_route::RouteNetlinkMessage;
use nix::errno::Errno;

use super::{
    changes::{LinkChanges, LinkState, Master},
    creation, elsewhere,
    ends::VethPeer,
    kinds::LinkKind,
    kinds::tun,
    link::Link,
    links::Links,
    spec::LinkSpec,
};
use crate::{
    error::{Error, NetlinkError, Result},
    link_ref::LinkRef,
    netlink::request::Request,
    netlink::socket,
    network::Network,
};

impl Links<'_> {
    /// Creates a link. If this fails, the link does not exist.
    pub async fn add(&self, spec: &LinkSpec) -> Result<Link> {
        let indexed = self.indexed(spec).await?;
        let spec = indexed.as_ref().unwrap_or(spec);
        match &spec.home {
            Some(home) if !home.is(self.network)? => Box::pin(elsewhere::add(self.network, home, spec)).await,
            _ => add(self.network, spec).await,
        }
    }

    /// Creates a TUN or TAP device with a descriptor of `/dev/net/tun` that was opened in this network. If this fails, the device
    /// does not exist.
    pub async fn add_tun(&self, spec: &LinkSpec, device: OwnedFd) -> Result<Link> {
        add_tun(self.network, spec, device).await
    }
}

/// Creates the link and returns its final state.
async fn add(network: &Network, spec: &LinkSpec) -> Result<Link> {
    spec.check()?;
    let links = network.links();
    let (reported, is_up_later) = create(network, spec).await?;
    let link = match reported {
        Some(link) => link,
        None => made(&links, &spec.name).await?,
    };
    let rest = LinkState { up: is_up_later.then_some(true), ..spec.rest() };
    let (rest, peer_rest) = (rest, spec.peer.as_ref().map(VethPeer::rest).unwrap_or_default());
    if rest.is_empty() && peer_rest.is_empty() {
        return Ok(link);
    }
    let finished = match finish(network, spec, &link, rest, peer_rest).await {
        Ok(()) => links.get(&link.reference()).await,
        Err(error) => Err(error),
    };
    if finished.is_err() {
        let _ = links.delete(&link.reference(), true).await;
    }
    finished
}

/// Returns the link that was just created. Deletes it if it cannot be read.
async fn made(links: &Links<'_>, name: &str) -> Result<Link> {
    let name = LinkRef::Name(name.into());
    let link = links.get(&name).await;
    if link.is_err() {
        let _ = links.delete(&name, true).await;
    }
    link
}

/// Creates a TUN or TAP device with `/dev/net/tun`. The device becomes persistent in the last step.
async fn add_tun(network: &Network, spec: &LinkSpec, device: OwnedFd) -> Result<Link> {
    let LinkKind::Tun(tun) = &spec.kind else {
        return Err(Error::InvalidArgument(format!("a {} link is not created with /dev/net/tun", spec.kind.name())));
    };
    spec.check()?;
    let target = || format!("'{}'", spec.name);
    tun::make(*tun, device.as_fd(), &spec.name, spec.index)
        .map_err(|errno| NetlinkError::from(errno).of("ioctl(TUNSETIFF)", target()))?;
    let home = tun::namespace(device.as_fd());
    let home = home.map_err(|errno| NetlinkError::from(errno).of("ioctl(TUNGETDEVNETNS)", target()))?;
    if !socket::is_same(&home, &network.namespace()?) {
        return Err(Error::InvalidArgument("the descriptor of /dev/net/tun belongs to another network".into()));
    }
    let links = network.links();
    let link = links.get(&LinkRef::Name(spec.name.clone())).await?;
    set_up(&links, link.index, &spec.name, spec.state.clone()).await?;
    let link = links.get(&link.reference()).await?;
    tun::persist(device.as_fd()).map_err(|errno| NetlinkError::from(errno).of("ioctl(TUNSETPERSIST)", target()))?;
    Ok(link)
}

/// Creates the link. Returns it if the kernel reports it, as Linux 6.2 and newer do, and whether the caller still has to bring it
/// up.
async fn create(network: &Network, spec: &LinkSpec) -> Result<(Option<Link>, bool)> {
    let has_master = matches!(spec.state.master, Some(Master::Link(_)));
    match try_create(network, spec).await {
        // The kernel brings the link up before it sets its master (rtnl_newlink_create() of net/core/rtnetlink.c), and a bond
        // accepts only links that are down.
        Err(error) if error.errno() == Some(Errno::EPERM) && has_master && spec.state.up == Some(true) => {
            let state = LinkState { up: None, ..spec.state.clone() };
            let reported = try_create(network, &LinkSpec { state, ..spec.clone() }).await?;
            Ok((reported, true))
        }
        outcome => outcome.map(|reported| (reported, false)),
    }
}

async fn try_create(network: &Network, spec: &LinkSpec) -> Result<Option<Link>> {
    let links = network.links();
    let master = links.master(&spec.state).await?;
    let dev = creation::device(network, spec).await?;
    let peer_network = spec.peer.as_ref().and_then(|peer| peer.network.as_ref());
    let peer_namespace = peer_network.map(Network::namespace).transpose()?;
    let message = creation::message(spec, master, dev, peer_namespace.as_ref()).build();
    let request = Request::create_and_echo(RouteNetlinkMessage::NewLink(message));
    let reported = network.conversation().act_and_read(request, Link::read).await;
    let reported = reported.map(|link| link.filter(|_| master.is_none()));
    reported.map_err(|error| error.of_kind("RTM_NEWLINK", format_args!("'{}'", spec.name), spec.kind.name()))
}

async fn finish(network: &Network, spec: &LinkSpec, link: &Link, rest: LinkState, peer_rest: LinkState) -> Result<()> {
    set_up(&network.links(), link.index, &spec.name, rest).await?;
    let (Some(peer), Some(end)) = (&spec.peer, link.peer) else { return Ok(()) };
    let home = peer.network.as_ref().unwrap_or(network);
    set_up(&home.links(), end.index, peer.name.as_deref().unwrap_or("veth%d"), peer_rest).await
}

async fn set_up(links: &Links<'_>, index: u32, name: &str, state: LinkState) -> Result<()> {
    if state.is_empty() {
        return Ok(());
    }
    links.set_for_good(index, false, &name.into(), &LinkChanges { state, ..LinkChanges::default() }).await.map(drop)
}
