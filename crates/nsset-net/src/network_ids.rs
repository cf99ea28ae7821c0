//! The ids that other networks have in a network (ip-netns(8)): by these, the kernel says in which network the other end of a
//! link is.

use std::os::fd::{AsRawFd, OwnedFd};

use netlink_packet_route::{
    RouteNetlinkMessage,
    nsid::{NsidAttribute, NsidMessage},
};
use nix::errno::Errno;

use crate::{
    error::Result,
    netlink::attributes::{Attributes, Malformed, u32_at},
    netlink::request::Request,
    network::Network,
};

/// The ids of other networks in a network.
#[derive(Clone, Copy, Debug)]
pub struct NetworkIds<'a> {
    network: &'a Network,
}

/// `struct rtgenmsg` of linux/rtnetlink.h, padded.
const HEADER: usize = 4;

/// `NETNSA_NSID` of linux/net_namespace.h.
const NUMBER: u16 = 1;

/// `NETNSA_NSID_NOT_ASSIGNED`: there is no id, or the kernel chooses one.
const NONE: i32 = -1;

impl Network {
    pub const fn ids(&self) -> NetworkIds<'_> {
        NetworkIds { network: self }
    }

    /// Returns the id of another network in this one. `None` if it is this network, or has no id yet.
    pub(crate) async fn number_of(&self, other: &Self) -> Result<Option<i32>> {
        if self.is(other)? { Ok(None) } else { self.ids().get(other).await }
    }
}

impl NetworkIds<'_> {
    /// Lists the ids.
    pub async fn list(&self) -> Result<Vec<i32>> {
        let request = Request::dump(RouteNetlinkMessage::GetNsId(NsidMessage::default()));
        let ids = self.network.dump(request, read).await;
        ids.map_err(|error| error.of("RTM_GETNSID", ""))
    }

    /// Returns the id of a network, if it has one.
    pub async fn get(&self, other: &Network) -> Result<Option<i32>> {
        let namespace = other.namespace()?;
        let request = Request::act(RouteNetlinkMessage::GetNsId(about(&namespace, None)));
        let id = self.network.conversation().get(request, read).await;
        id.map_err(|error| error.of("RTM_GETNSID", ""))
    }

    /// Gives a network an id, or one that the kernel chooses, and returns it. Without an id, one that the network has stays. An id
    /// that a network has cannot be changed.
    pub async fn set(&self, other: &Network, id: Option<i32>) -> Result<Option<i32>> {
        let namespace = other.namespace()?;
        let request = Request::act(RouteNetlinkMessage::NewNsId(about(&namespace, Some(id.unwrap_or(NONE)))));
        match self.network.conversation().act(request).await {
            Err(error) if error.errno == Errno::EEXIST && id.is_none() => {}
            outcome => {
                let target = id.map_or_else(String::new, |id| id.to_string());
                outcome.map_err(|error| error.of("RTM_NEWNSID", target))?;
            }
        }
        self.get(other).await
    }
}

/// Returns a message about a namespace, which must be open until the message is sent.
fn about(namespace: &OwnedFd, id: Option<i32>) -> NsidMessage {
    let mut message = NsidMessage::default();
    message.attributes.push(NsidAttribute::Fd(namespace.as_raw_fd() as u32));
    message.attributes.extend(id.map(NsidAttribute::Id));
    message
}

/// Reads the body of an `RTM_NEWNSID`.
fn read(message: &[u8]) -> std::result::Result<Option<i32>, Malformed> {
    for attribute in Attributes::behind(HEADER, message)? {
        if let (NUMBER, value) = attribute? {
            return Ok(Some(u32_at(value, 0)?.cast_signed()).filter(|id| *id != NONE));
        }
    }
    Err(Malformed)
}
