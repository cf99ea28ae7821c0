//! Creates a link in another network than its device.

use std::{
    os::fd::AsRawFd,
    time::{SystemTime, UNIX_EPOCH},
};

use netlink_packet_route::RouteNetlinkMessage;
use nix::errno::Errno;

use super::{creation, link::Link, spec::LinkSpec};
use crate::{
    error::Result, link::changes::LinkChanges, link_ref::LinkRef, netlink::request::Request, network::Network,
};

/// Creates a link in `home` whose device is in `here`, and returns it. If this fails, the link does not exist.
pub(super) async fn add(here: &Network, home: &Network, spec: &LinkSpec) -> Result<Link> {
    spec.check()?;
    let links = home.links();
    let name = create(here, home, spec).await?;
    let called = LinkRef::Name(spec.name.clone());
    let made = links.get(&LinkRef::Name(name.clone())).await;
    let finished = match &made {
        Ok(link) => {
            let state = spec.state.without_first();
            let changes = LinkChanges { name: (name != spec.name).then(|| spec.name.clone()), state, kind: None };
            links.set_for_good(link.index, false, &called, &changes).await.map(drop)
        }
        Err(_) => Ok(()),
    };
    match (made, finished) {
        (Ok(link), Ok(())) => links.get(&link.reference()).await,
        (Err(error), _) | (_, Err(error)) => {
            let _ = links.delete(&LinkRef::Name(name), true).await;
            Err(error)
        }
    }
}

/// Creates the link and returns its name, which is a temporary one on kernels before 6.13: those refuse a name that a link has in
/// the network of the request (rtnl_newlink() of net/core/rtnetlink.c).
async fn create(here: &Network, home: &Network, spec: &LinkSpec) -> Result<String> {
    let error = match try_create(here, home, spec).await {
        Ok(()) => return Ok(spec.name.clone()),
        Err(error) if error.errno() == Some(Errno::EEXIST) => error,
        Err(error) => return Err(error),
    };
    let is_free = home.links().get(&spec.name.as_str().into()).await.is_err();
    if !is_free || here.links().get(&spec.name.as_str().into()).await.is_err() {
        return Err(error);
    }
    let spec = LinkSpec { name: temporary_name(), ..spec.clone() };
    try_create(here, home, &spec).await?;
    Ok(spec.name)
}

async fn try_create(here: &Network, home: &Network, spec: &LinkSpec) -> Result<()> {
    let dev = creation::device(here, spec).await?;
    let namespace = home.namespace()?;
    let first = LinkSpec { state: spec.state.first(), ..spec.clone() };
    let message = creation::message(&first, None, dev, None).setns_by_fd(namespace.as_raw_fd()).build();
    let outcome = here.conversation().act(Request::create(RouteNetlinkMessage::NewLink(message))).await;
    outcome.map_err(|error| error.of_kind("RTM_NEWLINK", format_args!("'{}'", spec.name), spec.kind.name()))
}

/// A name that no other link is likely to have.
fn temporary_name() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("new{:012x}", now.as_nanos() & 0xffff_ffff_ffff)
}
