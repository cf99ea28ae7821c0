//! The parts of a network that can be watched. A new part is a variant here, a key in `object.rs`, and a name in TypeScript.

use netlink_packet_core::{NLM_F_CREATE, NLM_F_REPLACE};

use super::{object::Object, verb::Verb};
use crate::{
    address::Address,
    class::Class,
    conntrack::{self, ConnectionFilter, Conntrack},
    error::{NetlinkError, Result},
    filter::Filter,
    firewall::Firewall,
    link::Link,
    neighbour::{ForwardingEntry, Neighbour},
    netlink::answer::Message,
    netlink::attributes::{Malformed, u8_at, u32_at},
    netlink::socket::Group,
    network::Network,
    next_hop::NextHopObject,
    qdisc::Qdisc,
    route::Route,
    rule::Rule,
    vlans,
};

/// A part of a network that can be watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum WatchedPart {
    Links,
    Addresses,
    Routes,
    Neighbours,
    Rules,
    NextHops,
    ForwardingEntries,
    Vlans,
    Qdiscs,
    Classes,
    Filters,
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

/// `TCM_IFINDEX_MAGIC_BLOCK` of linux/rtnetlink.h: the link of filters that are in a block.
const OF_A_BLOCK: u32 = u32::MAX;

// `RTM_*NEXTHOP` of linux/rtnetlink.h.
const RTM_NEWNEXTHOP: u16 = 104;
const RTM_DELNEXTHOP: u16 = 105;

impl WatchedPart {
    pub const ALL: [Self; 13] = [
        Self::Links,
        Self::Addresses,
        Self::Routes,
        Self::Neighbours,
        Self::Rules,
        Self::NextHops,
        Self::ForwardingEntries,
        Self::Vlans,
        Self::Qdiscs,
        Self::Classes,
        Self::Filters,
        Self::Conntrack,
        Self::Firewall,
    ];

    /// The name in events.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Links => "links",
            Self::Addresses => "addresses",
            Self::Routes => "routes",
            Self::Neighbours => "neighbours",
            Self::Rules => "rules",
            Self::NextHops => "nextHops",
            Self::ForwardingEntries => "forwardingEntries",
            Self::Vlans => "vlans",
            Self::Qdiscs => "qdiscs",
            Self::Classes => "classes",
            Self::Filters => "filters",
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
            Self::Conntrack | Self::Firewall => WatchedSource::Nfnetlink,
            _ => WatchedSource::Rtnetlink,
        }
    }

    /// The groups whose notifications are needed. Those of links and addresses make it probable that others have changed without
    /// a notification.
    pub(super) const fn groups(self) -> &'static [Group] {
        match self {
            Self::Links => &[Group::Link],
            Self::Addresses => &[Group::Ipv4Address, Group::Ipv6Address],
            Self::Routes => &[Group::Ipv4Route, Group::Ipv6Route, Group::Link, Group::Ipv4Address, Group::NextHop],
            Self::Neighbours => &[Group::Neigh],
            Self::Rules => &[Group::Ipv4Rule, Group::Ipv6Rule],
            Self::NextHops => &[Group::NextHop, Group::Link],
            Self::ForwardingEntries => &[Group::Neigh, Group::Link],
            Self::Vlans => &[Group::BridgeVlan],
            Self::Qdiscs | Self::Classes | Self::Filters => &[Group::Tc, Group::Link],
            Self::Conntrack => &[Group::ConntrackNew, Group::ConntrackUpdate, Group::ConntrackDestroy],
            Self::Firewall => &[Group::Nftables],
        }
    }

    /// Returns the part that a message is about.
    pub(super) fn of_message(message: &Message<'_>) -> Option<(Self, Verb)> {
        // Both have the same messages, and differ in the family.
        let neighbours = || match message.body.first() {
            Some(family) if i32::from(*family) == libc::AF_BRIDGE => Self::ForwardingEntries,
            _ => Self::Neighbours,
        };
        Some(match message.kind {
            libc::RTM_NEWLINK => (Self::Links, Verb::New),
            libc::RTM_DELLINK => (Self::Links, Verb::Removed),
            libc::RTM_NEWADDR => (Self::Addresses, Verb::New),
            libc::RTM_DELADDR => (Self::Addresses, Verb::Removed),
            libc::RTM_NEWROUTE => (Self::Routes, Verb::New),
            libc::RTM_DELROUTE => (Self::Routes, Verb::Removed),
            libc::RTM_NEWNEIGH => (neighbours(), Verb::New),
            libc::RTM_DELNEIGH => (neighbours(), Verb::Removed),
            libc::RTM_NEWRULE => (Self::Rules, Verb::New),
            libc::RTM_DELRULE => (Self::Rules, Verb::Removed),
            RTM_NEWNEXTHOP => (Self::NextHops, Verb::New),
            RTM_DELNEXTHOP => (Self::NextHops, Verb::Removed),
            vlans::RTM_NEWVLAN => (Self::Vlans, Verb::New),
            vlans::RTM_DELVLAN => (Self::Vlans, Verb::Removed),
            libc::RTM_NEWQDISC => (Self::Qdiscs, Verb::New),
            libc::RTM_DELQDISC => (Self::Qdiscs, Verb::Removed),
            libc::RTM_NEWTCLASS => (Self::Classes, Verb::New),
            libc::RTM_DELTCLASS => (Self::Classes, Verb::Removed),
            libc::RTM_NEWTFILTER => (Self::Filters, Verb::New),
            libc::RTM_DELTFILTER => (Self::Filters, Verb::Removed),
            CONNECTION_NEW => (Self::Conntrack, Verb::New),
            CONNECTION_DELETE => (Self::Conntrack, Verb::Removed),
            _ => return None,
        })
    }

    /// Reads the objects of a notification, without what lists do not have. Only VLANs can be several.
    pub(super) fn read(self, body: &[u8]) -> std::result::Result<Vec<Object>, Malformed> {
        if self == Self::Vlans {
            return vlans::read_notification(body)?.into_iter().map(Object::try_from).collect();
        }
        self.read_one(body).map(|object| object.into_iter().collect())
    }

    fn read_one(self, body: &[u8]) -> std::result::Result<Option<Object>, Malformed> {
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
            Self::NextHops => NextHopObject::read(body)?.try_into().map(Some),
            Self::ForwardingEntries => ForwardingEntry::read(body)?.map(Object::try_from).transpose(),
            Self::Qdiscs => Qdisc::read(body)?.try_into().map(Some),
            Self::Classes => Class::read(body)?.try_into().map(Some),
            // Those of a block that several links share are not in the list of a link.
            Self::Filters if u32_at(body, 4)? == OF_A_BLOCK => Ok(None),
            Self::Filters => Filter::read(body)?.map(Object::try_from).transpose(),
            Self::Conntrack => conntrack::read(body)?.map(Object::try_from).transpose(),
            // A notification can be about several; only a list has all of an object of the packet filter.
            Self::Vlans | Self::Firewall => Ok(None),
        }
    }

    /// Whether the notification says that the object is new, if that is not known otherwise.
    pub(super) fn seems_new(self, message: &Message<'_>) -> bool {
        match self {
            // `ifi_change`: register_netdevice() of net/core/dev.c sets all bits.
            Self::Links => u32_at(message.body, 12) == Ok(u32::MAX),
            Self::Conntrack | Self::Firewall => message.flags & NLM_F_CREATE != 0,
            _ => message.flags & NLM_F_REPLACE == 0,
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
            Self::NextHops => objects(network.next_hops().list().await?),
            Self::ForwardingEntries => objects(network.forwarding_entries().list(None).await?),
            Self::Vlans => objects(network.bridge_vlans().list(None).await?),
            Self::Qdiscs => objects(network.qdiscs().list(None).await?),
            Self::Classes => objects(network.classes().list(None).await?),
            Self::Filters => objects(network.filters().list_all().await?),
            // It is not part of rtnetlink.
            Self::Conntrack | Self::Firewall => Ok(Vec::new()),
        }
    }
}

fn objects<T: TryInto<Object, Error = Malformed>>(list: Vec<T>) -> Result<Vec<Object>> {
    let objects: std::result::Result<_, Malformed> = list.into_iter().map(TryInto::try_into).collect();
    objects.map_err(|malformed| NetlinkError::from(malformed).of("recvmsg", ""))
}
