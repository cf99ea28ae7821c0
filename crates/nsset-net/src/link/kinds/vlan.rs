//! A VLAN: the frames of its device that have a tag, and nothing else.

use netlink_packet_route::link::InfoVlan;
use serde::{Deserialize, Serialize};

use crate::netlink::{
    attributes::{Malformed, array_at},
    value::Value,
};

/// A VLAN. Its device is the `dev` of its [`LinkSpec`](crate::LinkSpec).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Vlan {
    /// 0 to 4094.
    pub id: u16,
    pub protocol: VlanProtocol,
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

impl Vlan {
    pub(crate) fn info(self) -> Vec<InfoVlan> {
        use netlink_packet_route::link::VlanProtocol as Protocol;
        let protocol = match self.protocol {
            VlanProtocol::Customer => Protocol::Ieee8021Q,
            VlanProtocol::Service => Protocol::Ieee8021Ad,
        };
        vec![InfoVlan::Id(self.id), InfoVlan::Protocol(protocol)]
    }

    pub(crate) fn read(info: impl Iterator<Item = InfoVlan>) -> Self {
        use netlink_packet_route::link::VlanProtocol as Protocol;
        let mut vlan = Self::default();
        for info in info {
            match info {
                InfoVlan::Id(id) => vlan.id = id,
                InfoVlan::Protocol(Protocol::Ieee8021Ad) => vlan.protocol = VlanProtocol::Service,
                _ => {}
            }
        }
        vlan
    }
}
