//! A VLAN: the frames of its device that have a tag, and nothing else.

use netlink_packet_core::{DefaultNla, Emitable};
use serde::{Deserialize, Serialize};

use crate::netlink::{
    attributes::{Attributes, Malformed, array_at, u32_at},
    settings::{flags, settings},
    value::Value,
};

settings! {
    /// A VLAN: `IFLA_VLAN_*` of linux/if_link.h. Its device is the `dev` of its [`LinkSpec`](crate::LinkSpec).
    pub struct Vlan {
        /// 0 to 4094.
        id: u16 = 1,
        flags: VlanFlags = 2,
        /// The priority in the tag of each priority of packets.
        egress_priorities: PriorityMap = 3,
        /// The priority of packets for each one of a tag.
        ingress_priorities: PriorityMap = 4,
        protocol: VlanProtocol = 5,
    }
}

/// The protocol of the VLAN tag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum VlanProtocol {
    /// 802.1Q, 0x8100.
    #[default]
    #[serde(rename = "802.1Q")]
    Customer,
    /// 802.1ad, 0x88a8.
    #[serde(rename = "802.1ad")]
    Service,
}

impl Value for VlanProtocol {
    fn write(&self) -> Vec<u8> {
        match self {
            Self::Customer => 0x8100_u16.to_be_bytes().into(),
            Self::Service => 0x88a8_u16.to_be_bytes().into(),
        }
    }

    fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        match u16::from_be_bytes(array_at(bytes, 0)?) {
            0x8100 => Ok(Self::Customer),
            0x88a8 => Ok(Self::Service),
            _ => Err(Malformed),
        }
    }
}

flags! {
    /// `VLAN_FLAG_*` of linux/if_vlan.h.
    pub enum VlanFlag: u32 {
        /// Programs see frames without the tag. The kernel's default.
        ReorderHeader = 1 => "reorder-header",
        /// The VLAN is registered with the switch (GVRP).
        Gvrp = 2 => "gvrp",
        /// It does not follow the state of its device.
        LooseBinding = 4 => "loose-binding",
        /// The VLAN is registered with the switch (MVRP).
        Mvrp = 8 => "mvrp",
        /// It follows the ports of its VLAN, and not the bridge.
        BridgeBinding = 16 => "bridge-binding",
    }
}

/// Exactly these flags: `struct ifla_vlan_flags`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VlanFlags(pub Vec<VlanFlag>);

/// All flags that have a word.
const MASK: u32 = 0x1f;

impl Value for VlanFlags {
    fn write(&self) -> Vec<u8> {
        [self.0.write(), MASK.write()].concat()
    }

    fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        Value::read(bytes).map(Self)
    }
}

/// A priority, and the one that it becomes: `struct ifla_vlan_qos_mapping`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriorityMapping {
    pub from: u32,
    pub to: u32,
}

/// Priorities, each in an attribute of the same type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PriorityMap(pub Vec<PriorityMapping>);

/// `IFLA_VLAN_QOS_MAPPING`.
const MAPPING: u16 = 1;

impl Value for PriorityMap {
    fn write(&self) -> Vec<u8> {
        let mapping = |mapping: &PriorityMapping| [mapping.from.write(), mapping.to.write()].concat();
        let nested: Vec<_> = self.0.iter().map(|each| DefaultNla::new(MAPPING, mapping(each))).collect();
        let mut bytes = vec![0; nested.as_slice().buffer_len()];
        nested.as_slice().emit(&mut bytes);
        bytes
    }

    fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let mappings = Attributes::within(bytes).map(|mapping| {
            let (_, value) = mapping?;
            Ok(PriorityMapping { from: u32_at(value, 0)?, to: u32_at(value, 4)? })
        });
        mappings.collect::<Result<_, _>>().map(Self)
    }
}

impl Vlan {
    /// An unknown protocol is listed as the default one.
    pub(super) fn read_with_protocol(data: &[u8]) -> Self {
        let vlan = Self::read(data);
        Self { protocol: vlan.protocol.or(Some(VlanProtocol::Customer)), ..vlan }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes that ip of iproute2 6.1 sends (strace) for `id 7 reorder_hdr on gvrp on egress-qos-map 1:2 3:4`, but for the mask of
    /// the flags.
    const IP: &[u8] = b"\x06\x00\x01\x00\x07\x00\x00\x00\x0c\x00\x02\x00\x03\x00\x00\x00\x1f\x00\x00\x00\
        \x1c\x00\x03\x00\x0c\x00\x01\x00\x01\x00\x00\x00\x02\x00\x00\x00\x0c\x00\x01\x00\x03\x00\x00\x00\x04\x00\x00\x00";

    #[test]
    fn it_is_written_as_ip_writes_it_and_read_again() {
        let mappings = vec![PriorityMapping { from: 1, to: 2 }, PriorityMapping { from: 3, to: 4 }];
        let vlan = Vlan {
            id: Some(7),
            flags: Some(VlanFlags(vec![VlanFlag::ReorderHeader, VlanFlag::Gvrp])),
            egress_priorities: Some(PriorityMap(mappings)),
            ..Vlan::default()
        };
        assert_eq!(vlan.bytes(), IP);
        assert_eq!(Vlan::read(IP), vlan);
    }
}
