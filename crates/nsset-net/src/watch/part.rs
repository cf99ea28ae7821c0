//! The parts of a network that can be watched. A new part is a variant here, a key in `object.rs`, and a name in TypeScript.

use netlink_packet_core::{NLM_F_CREATE, NLM_F_REPLACE};

use super::object::Object;
use crate::{
    address::Address,
    conntrack::{self, ConnectionFilter, Conntrack},
    error::{NetlinkError, Result},
    firewall::Firewall,
    link::Link,
    neighbour::Neighbour,
    netlink::answer::Message,
    netlink::attributes::{Malformed, u8_at, u32_at},
    netlink::socket::Group,
    network::Network,
    route::Route,
    rule::Rule,
};

/// A part of a network that can be watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum WatchedPart {
    Links,
    Addresses,
    Routes,
    Neighbours,
    Rules,
    Conntrack,
    Firewall,
}

/// The protocol of netlink that reports a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WatchedSource {
    Rtnetlink,
    Nfnetlink,
}

/// Where lists are requested.
#[derive(Clone, Copy)]
pub enum Lists<'a> {
    Rtnetlink(&'a Network),
    Nfnetlink(&'a Firewall),
}

/// `IPCTNL_MSG_CT_NEW` and `IPCTNL_MSG_CT_DELETE` of linux/netfilter/nfnetlink_conntrack.h.
const CONNECTION_NEW: u16 = conntrack::SUBSYSTEM << 8;
const CONNECTION_DELETE: u16 = conntrack::SUBSYSTEM << 8 | 2;

/// What a notification reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    /// The object was added or changed.
    New,
    Removed,
}

impl WatchedPart {
    pub const ALL: [Self; 7] =
        [Self::Links, Self::Addresses, Self::Routes, Self::Neighbours, Self::Rules, Self::Conntrack, Self::Firewall];

    /// The name in events.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Links => "links",
            Self::Addresses => "addresses",
            Self::Routes => "routes",
            Self::Neighbours => "neighbours",
            Self::Rules => "rules",
            Self::Conntrack => "conntrack",
            Self::Firewall => "firewall",
        }
    }

    /// The part with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.name() == name)
    }

    /// What reports the part.
    pub const fn source(self) -> WatchedSource {
        match self {
            Self::Links | Self::Addresses | Self::Routes | Self::Neighbours | Self::Rules => WatchedSource::Rtnetlink,
            Self::Conntrack | Self::Firewall => WatchedSource::Nfnetlink,
        }
    }

    /// The groups whose notifications are needed. Those of links and addresses report that IPv4 routes are lost.
    pub(super) const fn groups(self) -> &'static [Group] {
        match self {
            Self::Links => &[Group::Link],
            Self::Addresses => &[Group::Ipv4Address, Group::Ipv6Address],
            Self::Routes => &[Group::Ipv4Route, Group::Ipv6Route, Group::Link, Group::Ipv4Address, Group::NextHop],
            Self::Neighbours => &[Group::Neigh],
            Self::Rules => &[Group::Ipv4Rule, Group::Ipv6Rule],
            Self::Conntrack => &[Group::ConntrackNew, Group::ConntrackUpdate, Group::ConntrackDestroy],
            Self::Firewall => &[Group::Nftables],
        }
    }

    /// Returns the part that a message of this type is about.
    pub(super) const fn of_message(kind: u16) -> Option<(Self, Verb)> {
        Some(match kind {
            libc::RTM_NEWLINK => (Self::Links, Verb::New),
            libc::RTM_DELLINK => (Self::Links, Verb::Removed),
            libc::RTM_NEWADDR => (Self::Addresses, Verb::New),
            libc::RTM_DELADDR => (Self::Addresses, Verb::Removed),
            libc::RTM_NEWROUTE => (Self::Routes, Verb::New),
            libc::RTM_DELROUTE => (Self::Routes, Verb::Removed),
            libc::RTM_NEWNEIGH => (Self::Neighbours, Verb::New),
            libc::RTM_DELNEIGH => (Self::Neighbours, Verb::Removed),
            libc::RTM_NEWRULE => (Self::Rules, Verb::New),
            libc::RTM_DELRULE => (Self::Rules, Verb::Removed),
            CONNECTION_NEW => (Self::Conntrack, Verb::New),
            CONNECTION_DELETE => (Self::Conntrack, Verb::Removed),
            _ => return None,
        })
    }

    /// Reads the object of a notification. `None` if lists do not have it.
    pub(super) fn read(self, body: &[u8]) -> std::result::Result<Option<Object>, Malformed> {
        match self {
            // A bridge also reports its ports, as messages of its own family.
            Self::Links if i32::from(u8_at(body, 0)?) != libc::AF_UNSPEC => Ok(None),
            Self::Links => {
                let link = Link::read(body)?;
                // The wireless extensions send messages without a name.
                if link.name.is_empty() { Ok(None) } else { link.try_into().map(Some) }
            }
            Self::Addresses => Address::read(body)?.try_into().map(Some),
            Self::Routes => Route::read(body)?.map(Object::try_from).transpose(),
            Self::Neighbours => Neighbour::read(body)?.map(Object::try_from).transpose(),
            Self::Rules => Rule::read(body)?.map(Object::try_from).transpose(),
            Self::Conntrack => conntrack::read(body)?.map(Object::try_from).transpose(),
            // Only a list has all of an object.
            Self::Firewall => Ok(None),
        }
    }

    /// Whether the notification says that the object is new, if that is not known otherwise.
    pub(super) fn seems_new(self, message: &Message<'_>) -> bool {
        match self {
            // `ifi_change`: register_netdevice() of net/core/dev.c sets all bits.
            Self::Links => u32_at(message.body, 12) == Ok(u32::MAX),
            Self::Addresses | Self::Routes | Self::Neighbours | Self::Rules => message.flags & NLM_F_REPLACE == 0,
            Self::Conntrack | Self::Firewall => message.flags & NLM_F_CREATE != 0,
        }
    }

    /// Lists the objects.
    pub(super) async fn list(self, lists: Lists<'_>) -> Result<Vec<Object>> {
        match lists {
            Lists::Rtnetlink(network) => self.list_of_network(network).await,
            Lists::Nfnetlink(firewall) => self.list_of_firewall(firewall).await,
        }
    }

    async fn list_of_firewall(self, firewall: &Firewall) -> Result<Vec<Object>> {
        if self == Self::Conntrack {
            return objects(Conntrack::of(firewall).list(&ConnectionFilter::default()).await?);
        }
        let list = super::firewall::objects(&firewall.list_existing().await?);
        list.map_err(|malformed| NetlinkError::from(malformed).of("recvmsg", ""))
    }

    async fn list_of_network(self, network: &Network) -> Result<Vec<Object>> {
        match self {
            Self::Links => objects(network.links().list().await?),
            Self::Addresses => objects(network.addresses().list(None).await?),
            Self::Routes => objects(network.routes().list(None).await?),
            Self::Neighbours => objects(network.neighbours().list(None).await?),
            Self::Rules => objects(network.rules().list(None).await?),
            // It is not part of rtnetlink.
            Self::Conntrack | Self::Firewall => Ok(Vec::new()),
        }
    }
}

fn objects<T: TryInto<Object, Error = Malformed>>(list: Vec<T>) -> Result<Vec<Object>> {
    let objects: std::result::Result<_, Malformed> = list.into_iter().map(TryInto::try_into).collect();
    objects.map_err(|malformed| NetlinkError::from(malformed).of("recvmsg", ""))
}
