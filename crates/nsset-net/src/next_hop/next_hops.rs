//! The operations on next hops.

use super::{
    message::{ID, RTM_DELNEXTHOP, RTM_GETNEXTHOP},
    next_hop::{NextHopObject, NextHopObjectSpec},
};
use crate::{error::Result, netlink::message::Message, netlink::request::Request, network::Network};

/// The next hop objects of a network.
#[derive(Clone, Copy, Debug)]
pub struct NextHops<'a> {
    network: &'a Network,
}

impl Network {
    pub const fn next_hops(&self) -> NextHops<'_> {
        NextHops { network: self }
    }
}

/// `struct nhmsg` without a family.
const HEADER: [u8; 8] = [0; 8];

impl NextHops<'_> {
    /// Lists the next hops and the groups. Fails with `EAGAIN` if they keep changing while they are listed.
    pub async fn list(&self) -> Result<Vec<NextHopObject>> {
        let request = Request::dump(Message::new(RTM_GETNEXTHOP, HEADER));
        let hops = self.network.dump(request, |message| NextHopObject::read(message).map(Some)).await;
        hops.map_err(|error| error.of("RTM_GETNEXTHOP", ""))
    }

    /// Adds a next hop or a group.
    pub async fn add(&self, spec: &NextHopObjectSpec) -> Result<()> {
        self.make(spec, Request::create).await
    }

    /// Adds a next hop or a group, or replaces the one with the same id.
    pub async fn replace(&self, spec: &NextHopObjectSpec) -> Result<()> {
        self.make(spec, Request::replace).await
    }

    /// Deletes a next hop or a group, and with it the routes that use it.
    pub async fn delete(&self, id: u32) -> Result<()> {
        let mut message = Message::new(RTM_DELNEXTHOP, HEADER);
        message.attributes.put_u32(ID, id);
        let outcome = self.network.conversation().act(Request::act(message)).await;
        outcome.map_err(|error| error.of("RTM_DELNEXTHOP", format_args!("next hop {id}")))
    }

    async fn make(&self, spec: &NextHopObjectSpec, request: fn(Message) -> Request) -> Result<()> {
        let dev = match &spec.dev {
            Some(dev) => Some(self.network.links().index(dev).await?),
            None => None,
        };
        let outcome = self.network.conversation().act(request(spec.addition(dev))).await;
        outcome.map_err(|error| error.of("RTM_NEWNEXTHOP", spec))
    }
}
