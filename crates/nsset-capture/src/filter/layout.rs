//! Where the parts of a packet are.

use crate::{
    link_type::LinkType,
    program::{Condition, Load, Size, extension},
};

pub const IPV4: u16 = 0x0800;
pub const ARP: u16 = 0x0806;
pub const RARP: u16 = 0x8035;
pub const IPV6: u16 = 0x86dd;
/// Where the network layer of a packet begins, and what says which protocol it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    pub network: u32,
    pub ether_type: Load,
    pub has_ethernet: bool,
    /// Whether the packet contains a VLAN tag.
    pub has_tag: bool,
}

impl Layout {
    /// A packet of a link without Ethernet headers.
    const NETWORK: Self = Self { network: 0, ether_type: extension::PROTOCOL, has_ethernet: false, has_tag: false };

    const ETHERNET: Self =
        Self { network: 14, ether_type: Load::At { offset: 12, size: Size::Half }, has_ethernet: true, has_tag: false };

    /// An Ethernet packet with a VLAN tag.
    pub const TAGGED: Self =
        Self { network: 18, ether_type: Load::At { offset: 16, size: Size::Half }, has_ethernet: true, has_tag: true };

    pub const fn of(link: LinkType) -> Self {
        match link {
            LinkType::Ethernet => Self::ETHERNET,
            LinkType::Ip | LinkType::Cooked => Self::NETWORK,
        }
    }

    /// Whether the packet has a protocol over Ethernet.
    pub const fn is(self, protocol: u16) -> Condition {
        Condition::equal(self.ether_type, protocol as u32)
    }

    /// Whether a packet of IPv4 has the header of the protocol over it.
    pub const fn is_first_fragment(self) -> Condition {
        Condition::masked(self.at(6, Size::Half), 0x1fff, 0)
    }

    /// A number in the network layer.
    pub const fn at(self, offset: u32, size: Size) -> Load {
        Load::At { offset: self.network + offset, size }
    }
}
