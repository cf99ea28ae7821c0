//! The other end of a link, in whichever of some networks it is.

use serde::Serialize;
use serde_with::skip_serializing_none;

use crate::{
    error::Result,
    link::{link::Link, links::Links},
    link_ref::LinkRef,
    network::Network,
};

/// The other end of a link.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OtherEnd {
    /// The index in its network.
    pub index: u32,
    /// The id of its network, if it is another one.
    pub netns_id: Option<i32>,
    /// Which of the given networks this is.
    pub network: Option<usize>,
    /// The link, if its network is this one or among those given.
    pub link: Option<Link>,
}

impl Links<'_> {
    /// Returns the peer of a link, or the device that it was created on, if there is one.
    pub async fn peer(&self, link: &LinkRef, networks: &[Network]) -> Result<Option<OtherEnd>> {
        let link = self.get(link).await?;
        let Some(end) = link.peer.or(link.dev) else { return Ok(None) };
        let mut found = OtherEnd { index: end.index, netns_id: end.netns_id, network: None, link: None };
        let Some(id) = end.netns_id else {
            found.link = Some(self.get(&LinkRef::Index(end.index)).await?);
            return Ok(Some(found));
        };
        for (at, network) in networks.iter().enumerate() {
            if self.network.number_of(network).await? == Some(id) {
                found.network = Some(at);
                found.link = Some(network.links().get(&LinkRef::Index(end.index)).await?);
                break;
            }
        }
        Ok(Some(found))
    }
}
