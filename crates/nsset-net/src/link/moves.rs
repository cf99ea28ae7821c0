//! Moves a link to another network.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use netlink_packet_route::RouteNetlinkMessage;
use nix::errno::Errno;

use super::links::{Links, addressed_to};
use crate::{
    error::{NetlinkError, Result},
    link_ref::LinkRef,
    netlink::request::Request,
    network::Network,
};

impl Links<'_> {
    /// Moves a link to another network namespace. The link is then down and has no addresses.
    pub async fn move_to(&self, link: &LinkRef, namespace: BorrowedFd<'_>) -> Result<()> {
        self.send(&self.unaliased(link).await?, link, namespace, None).await
    }

    /// Moves a link to another network, where it has another name. If this fails, the link is in its network.
    pub async fn move_as(&self, link: &LinkRef, there: &Network, name: &str) -> Result<()> {
        let found = self.get(link).await?;
        let is_taken = found.name != name && there.links().get(&name.into()).await.is_ok();
        if is_taken {
            return Err(NetlinkError::from(Errno::EEXIST).of("RTM_SETLINK", link));
        }
        let new_name = Some(name).filter(|name| *name != found.name);
        let outcome = self.send(&found.reference(), link, there.namespace()?.as_fd(), new_name).await;
        // The kernel moves a link before it renames it (do_setlink() of net/core/rtnetlink.c).
        if outcome.is_err() && new_name.is_some() && self.get(&found.reference()).await.is_err() {
            let left = LinkRef::Name(found.name);
            let _ = there.links().send(&left, &left, self.network.namespace()?.as_fd(), None).await;
        }
        outcome
    }

    async fn send(
        &self,
        link: &LinkRef,
        called: &LinkRef,
        namespace: BorrowedFd<'_>,
        name: Option<&str>,
    ) -> Result<()> {
        let mut message = addressed_to(link).setns_by_fd(namespace.as_raw_fd());
        if let Some(name) = name {
            message = message.name(name);
        }
        let request = Request::act(RouteNetlinkMessage::SetLink(message.build()));
        let outcome = self.network.conversation().act(request).await;
        outcome.map_err(|error| error.of("RTM_SETLINK", called))
    }
}
