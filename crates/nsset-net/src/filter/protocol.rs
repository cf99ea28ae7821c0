//! The protocol of the packets that a filter sees: `ETH_P_*` of linux/if_ether.h.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    #[default]
    All,
    Ip,
    Ipv6,
    Arp,
    #[serde(rename = "802.1Q")]
    Vlan,
    #[serde(untagged)]
    Other(u16),
}

const NUMBERS: [(Protocol, u16); 5] = [
    (Protocol::All, 0x0003),
    (Protocol::Ip, 0x0800),
    (Protocol::Ipv6, 0x86DD),
    (Protocol::Arp, 0x0806),
    (Protocol::Vlan, 0x8100),
];

impl From<u16> for Protocol {
    fn from(number: u16) -> Self {
        NUMBERS.iter().find(|(_, known)| *known == number).map_or(Self::Other(number), |(protocol, _)| *protocol)
    }
}

impl From<Protocol> for u16 {
    fn from(protocol: Protocol) -> Self {
        match protocol {
            Protocol::Other(number) => number,
            protocol => NUMBERS.iter().find(|(known, _)| *known == protocol).map_or(0, |(_, number)| *number),
        }
    }
}
