//! The forwarding entries and the VLANs of bridges, as watched objects.

use super::object::{Key, Object, digest, json};
use crate::{
    neighbour::{ForwardingEntry, ForwardingStatistics},
    netlink::attributes::Malformed,
    vlans::BridgeVlan,
};

impl TryFrom<ForwardingEntry> for Object {
    type Error = Malformed;

    fn try_from(mut entry: ForwardingEntry) -> Result<Self, Malformed> {
        let text = json(&entry)?;
        entry.statistics = ForwardingStatistics::default();
        let digest = digest(&json(&entry)?);
        let ForwardingEntry { link, mac, master, vlan, source_vni, .. } = entry;
        let is_of_tunnel = entry.dst.is_some() || entry.next_hop_id.is_some();
        // In the table of a bridge, an address that moves to another port is the same entry.
        let (owner, is_of_bridge) = (master.unwrap_or(link), master.is_some());
        let key = Key::ForwardingEntry { owner, is_of_bridge, mac, vlan, source_vni, is_of_tunnel };
        Ok(Self { is_ambiguous: is_of_tunnel, ..Self::new(key, text, digest) })
    }
}

impl TryFrom<BridgeVlan> for Object {
    type Error = Malformed;

    fn try_from(vlan: BridgeVlan) -> Result<Self, Malformed> {
        let text = json(&vlan)?;
        let digest = digest(&text);
        Ok(Self::new(Key::Vlan { link: vlan.link, id: vlan.id }, text, digest))
    }
}
