//! What a VXLAN can have besides its ends.

use serde::{Deserialize, Serialize};

use super::{dont_fragment::DontFragment, encap::Flag};
use crate::netlink::{
    attributes::{Malformed, array_at},
    settings::settings,
    value::{NetworkOrder, Specified, Value},
};

settings! {
    /// `IFLA_VXLAN_*` of linux/if_link.h.
    pub struct VxlanOptions {
        /// TOS of the outer packets. 1 copies that of the inner packet.
        tos: Specified<u8> = 6,
        /// Whether the outer packets have the TTL of the inner ones.
        inherit_ttl: Flag = 28,
        dont_fragment: DontFragment = 29,
        /// The flow label of the outer packets over IPv6.
        flow_label: Specified<NetworkOrder<u32>> = 26,
        /// The UDP ports of this end, one for each flow.
        source_ports: SourcePorts = 10,
        /// How many learned addresses it remembers.
        max_learned: Specified<u32> = 9,
        /// Whether it answers ARP and neighbour solicitations from its table of neighbours.
        proxy: bool = 11,
        /// Whether it passes packets to another network directly, in place of its router.
        route_short_circuit: bool = 12,
        /// Whether it announces hardware addresses without an entry, so that a program adds one.
        announce_missing_mac: bool = 13,
        /// The same for IP addresses.
        announce_missing_ip: bool = 14,
        /// Whether UDP over IPv4 has a checksum.
        checksum: bool = 18,
        /// Whether UDP over IPv6 has none.
        no_checksum6: bool = 19,
        /// Whether UDP over IPv6 without one is accepted.
        accept_no_checksum6: bool = 20,
        remote_checksum: bool = 21,
        accept_remote_checksum: bool = 22,
        /// Whether the mark of a packet is sent as the identifier of a group (group based policy).
        group_policy: Flag = 23,
        /// Whether packets can be of protocols other than Ethernet (generic protocol extension).
        generic_protocols: Flag = 27,
        /// Whether it accepts only the network identifiers that it has a list of.
        vni_filter: bool = 30,
        /// Whether packets for an address of this host stay inside the kernel.
        local_bypass: bool = 31,
    }
}

/// Ports with both ends: `struct ifla_vxlan_port_range`. The kernel lists 0 to 0 if it chooses them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourcePorts {
    pub start: u16,
    pub end: u16,
}

impl Value for SourcePorts {
    fn write(&self) -> Vec<u8> {
        [self.start, self.end].into_iter().flat_map(u16::to_be_bytes).collect()
    }

    fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let port = |at| array_at(bytes, at).map(u16::from_be_bytes);
        let range = Self { start: port(0)?, end: port(2)? };
        if range.end == 0 { Err(Malformed) } else { Ok(range) }
    }
}
