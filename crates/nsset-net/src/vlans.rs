//! The VLANs of bridges and of their ports.

use netlink_packet_core::{DefaultNla, Emitable, NLA_F_NESTED};
use netlink_packet_route::{
    AddressFamily, RouteNetlinkMessage,
    link::{LinkAttribute, LinkMessage},
};
use rtnetlink::{LinkMessageBuilder, LinkUnspec};
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use crate::{
    error::{NetlinkError, Result},
    link::LinkKind,
    link_ref::{self, LinkRef},
    netlink::attributes::{Attributes, Malformed, u16_at, u32_at},
    netlink::request::Request,
    network::Network,
};

/// A VLAN that a bridge or a port is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct BridgeVlan {
    /// The index of the port, or of the bridge.
    #[serde(serialize_with = "link_ref::index")]
    pub link: u32,
    /// 1 to 4094.
    pub id: u16,
    /// Whether frames without a tag that arrive here are of this VLAN.
    pub pvid: bool,
    /// Whether frames of this VLAN leave without a tag.
    pub untagged: bool,
}

/// VLANs to add or to delete.
#[skip_serializing_none]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct BridgeVlanSpec {
    pub id: u16,
    /// The last one of a range.
    pub to: Option<u16>,
    pub pvid: bool,
    pub untagged: bool,
}

/// The VLANs of the bridges of a network.
#[derive(Clone, Copy, Debug)]
pub struct BridgeVlans<'a> {
    network: &'a Network,
}

impl Network {
    pub const fn bridge_vlans(&self) -> BridgeVlans<'_> {
        BridgeVlans { network: self }
    }
}

/// A change of the VLANs.
type Change = fn(LinkMessage) -> RouteNetlinkMessage;

impl BridgeVlans<'_> {
    /// Lists the VLANs of a bridge or of a port, or all.
    pub async fn list(&self, link: Option<&LinkRef>) -> Result<Vec<BridgeVlan>> {
        let index = match link {
            Some(link) => Some(self.network.links().get(link).await?.index),
            None => None,
        };
        let filter = DefaultNla::new(libc::IFLA_EXT_MASK, libc::RTEXT_FILTER_BRVLAN.to_ne_bytes().into());
        let message = of_bridges().append_extra_attribute(LinkAttribute::Other(filter)).build();
        let request = Request::dump(RouteNetlinkMessage::GetLink(message));
        let is_wanted = |of: u32| index.is_none_or(|index| index == of);
        let read = |message: &[u8]| {
            let link = u32_at(message, 4)?;
            if is_wanted(link) { read(link, message).map(Some) } else { Ok(None) }
        };
        let vlans: std::result::Result<Vec<Vec<_>>, NetlinkError> = self.network.dump(request, read).await;
        vlans.map(|vlans| vlans.concat()).map_err(|error| error.of("RTM_GETLINK", ""))
    }

    /// Adds a bridge or a port to VLANs, or changes how it is in them.
    pub async fn add(&self, link: &LinkRef, vlans: BridgeVlanSpec) -> Result<()> {
        self.change(link, vlans, RouteNetlinkMessage::SetLink, "RTM_SETLINK").await
    }

    /// Removes a bridge or a port from VLANs.
    pub async fn delete(&self, link: &LinkRef, vlans: BridgeVlanSpec) -> Result<()> {
        self.change(link, vlans, RouteNetlinkMessage::DelLink, "RTM_DELLINK").await
    }

    async fn change(&self, link: &LinkRef, vlans: BridgeVlanSpec, change: Change, request: &'static str) -> Result<()> {
        let found = self.network.links().get(link).await?;
        let whose = if matches!(found.kind, LinkKind::Bridge(_)) { SELF } else { MASTER };
        let mut attributes = vec![DefaultNla::new(IFLA_BRIDGE_FLAGS, whose.to_ne_bytes().into())];
        attributes.extend(vlans.attributes());
        let mut bytes = vec![0; attributes.as_slice().buffer_len()];
        attributes.as_slice().emit(&mut bytes);
        let specification = LinkAttribute::Other(DefaultNla::new(libc::IFLA_AF_SPEC | NLA_F_NESTED, bytes));
        let message = of_bridges().index(found.index).append_extra_attribute(specification).build();
        let outcome = self.network.conversation().act(Request::act(change(message))).await;
        outcome.map_err(|error| error.of_kind(request, link, "bridge VLAN"))
    }
}

/// `IFLA_BRIDGE_*` of linux/if_bridge.h.
const IFLA_BRIDGE_FLAGS: u16 = 0;
const IFLA_BRIDGE_VLAN_INFO: u16 = 2;

/// `BRIDGE_FLAGS_*` of linux/if_bridge.h: whether the port's master or the link itself is addressed.
const MASTER: u16 = 1;
const SELF: u16 = 2;

/// `BRIDGE_VLAN_INFO_*` of linux/if_bridge.h.
const PVID: u16 = 1 << 1;
const UNTAGGED: u16 = 1 << 2;
const RANGE_BEGIN: u16 = 1 << 3;
const RANGE_END: u16 = 1 << 4;

/// `struct ifinfomsg` of rtnetlink(7).
const HEADER: usize = 16;

fn of_bridges() -> LinkMessageBuilder<LinkUnspec> {
    LinkMessageBuilder::<LinkUnspec>::new().interface_family(AddressFamily::Bridge)
}

impl BridgeVlan {
    const fn new(link: u32, id: u16, flags: u16) -> Self {
        Self { link, id, pvid: flags & PVID != 0, untagged: flags & UNTAGGED != 0 }
    }
}

impl BridgeVlanSpec {
    fn attributes(self) -> Vec<DefaultNla> {
        let flags = if self.pvid { PVID } else { 0 } | if self.untagged { UNTAGGED } else { 0 };
        let attribute = |id: u16, flags: u16| {
            DefaultNla::new(IFLA_BRIDGE_VLAN_INFO, [flags.to_ne_bytes(), id.to_ne_bytes()].concat())
        };
        match self.to.filter(|to| *to != self.id) {
            Some(to) => vec![attribute(self.id, flags | RANGE_BEGIN), attribute(to, flags | RANGE_END)],
            None => vec![attribute(self.id, flags)],
        }
    }
}

// `RTM_*VLAN` of linux/rtnetlink.h.
pub(crate) const RTM_NEWVLAN: u16 = 112;
pub(crate) const RTM_DELVLAN: u16 = 113;

/// `struct br_vlan_msg` of linux/if_bridge.h.
const NOTIFICATION_HEADER: usize = 8;

/// `BRIDGE_VLANDB_*` of linux/if_bridge.h.
const ENTRY: u16 = 1;
const ENTRY_INFO: u16 = 1;
const ENTRY_RANGE: u16 = 2;

/// Reads the body of an `RTM_NEWVLAN` or an `RTM_DELVLAN`, which the kernel sends to a group, about the VLANs of a link.
pub(crate) fn read_notification(message: &[u8]) -> std::result::Result<Vec<BridgeVlan>, Malformed> {
    let link = u32_at(message, 4)?;
    let mut vlans = Vec::new();
    for attribute in Attributes::behind(NOTIFICATION_HEADER, message)? {
        let (ENTRY, entry) = attribute? else { continue };
        let (mut flags, mut first, mut last) = (0, 0, None);
        for attribute in Attributes::within(entry) {
            match attribute? {
                (ENTRY_INFO, value) => (flags, first) = (u16_at(value, 0)?, u16_at(value, 2)?),
                (ENTRY_RANGE, value) => last = Some(u16_at(value, 0)?),
                _ => {}
            }
        }
        vlans.extend((first..=last.unwrap_or(first)).map(|id| BridgeVlan::new(link, id, flags)));
    }
    Ok(vlans)
}

/// Reads the body of an `RTM_NEWLINK` of the family `AF_BRIDGE`.
fn read(link: u32, message: &[u8]) -> std::result::Result<Vec<BridgeVlan>, Malformed> {
    let mut vlans = Vec::new();
    for attribute in Attributes::behind(HEADER, message)? {
        let (libc::IFLA_AF_SPEC, specification) = attribute? else { continue };
        for attribute in Attributes::within(specification) {
            let (IFLA_BRIDGE_VLAN_INFO, value) = attribute? else { continue };
            vlans.push(BridgeVlan::new(link, u16_at(value, 2)?, u16_at(value, 0)?));
        }
    }
    Ok(vlans)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notification_can_be_about_a_range() {
        let header = [7, 0, 0, 0, 3, 0, 0, 0];
        let entry = [20, 0, 1, 0x80, 8, 0, 1, 0, 4, 0, 10, 0, 6, 0, 2, 0, 12, 0, 0, 0];
        let vlans = read_notification(&[&header[..], &entry].concat()).unwrap();
        let expected = [10, 11, 12].map(|id| BridgeVlan { link: 3, id, pvid: false, untagged: true });
        assert_eq!(vlans, expected);
        assert_eq!(read_notification(&header[..4]), Err(Malformed));
    }
}
