//! Alternative names of links: up to 127 bytes, and unique among the names and alternative names of a network.

use netlink_packet_route::{
    RouteNetlinkMessage,
    link::{LinkAttribute, LinkMessage, Prop},
};

use super::links::{Links, addressed_to};
use crate::{error::Result, link_ref::LinkRef, netlink::request::Request};

/// A change of the alternative names.
type Change = fn(LinkMessage) -> RouteNetlinkMessage;

impl Links<'_> {
    /// Gives a link these alternative names, and no others. If this fails, it may have some of them.
    pub(super) async fn set_alt_names(&self, index: u32, called: &LinkRef, wanted: &[String]) -> Result<()> {
        let link = LinkRef::Index(index);
        let names = self.get(&link).await?.alt_names;
        let without = |names: &[String], others: &[String]| -> Vec<String> {
            names.iter().filter(|name| !others.contains(name)).cloned().collect()
        };
        self.change_alt_names(&link, called, without(&names, wanted), RouteNetlinkMessage::DelLinkProp).await?;
        self.change_alt_names(&link, called, without(wanted, &names), RouteNetlinkMessage::NewLinkProp).await
    }

    async fn change_alt_names(
        &self,
        link: &LinkRef,
        called: &LinkRef,
        names: Vec<String>,
        change: Change,
    ) -> Result<()> {
        if names.is_empty() {
            return Ok(());
        }
        let names = names.into_iter().map(Prop::AltIfName).collect();
        let message = addressed_to(link).append_extra_attribute(LinkAttribute::PropList(names)).build();
        let request = Request::act(change(message));
        let outcome = self.network.conversation().act(request).await;
        outcome.map_err(|error| error.of("RTM_NEWLINKPROP", called))
    }
}
