//! A netkit: a pair of links like a veth, to whose ends BPF programs can be attached.

use netlink_packet_core::{DefaultNla, Emitable, NLA_F_NESTED};
use netlink_packet_route::link::LinkMessage;

use crate::netlink::settings::{settings, words};

/// `IFLA_NETKIT_PEER_INFO` of linux/if_link.h.
const PEER_INFO: u16 = 1;

settings! {
    /// One end of a netkit: `IFLA_NETKIT_*` of linux/if_link.h.
    pub struct Netkit {
        /// What happens to packets while no program is attached to this end.
        policy: NetkitPolicy = 3,
        /// The same for the other end.
        peer_policy: NetkitPolicy = 4,
        mode: NetkitMode = 5,
        /// Whether packets lose their mark and priority on their way to this end.
        scrub: NetkitScrub = 6,
        /// The same for the other end.
        peer_scrub: NetkitScrub = 7,
        /// Free bytes that each packet has before its data.
        headroom: u16 = 8,
        /// Free bytes that each packet has after its data.
        tailroom: u16 = 9,
    }
}

words! {
    /// Whether the ends have MAC addresses.
    pub enum NetkitMode: u32 {
        L2 = 0 => "l2",
        /// The kernel's default.
        L3 = 1 => "l3",
    }
}

words! {
    /// What happens to packets while no program is attached: `NETKIT_PASS` and `NETKIT_DROP`.
    pub enum NetkitPolicy: u32 {
        /// The kernel's default.
        Forward = 0 => "forward",
        Blackhole = 2 => "blackhole",
    }
}

words! {
    /// What packets lose.
    pub enum NetkitScrub: u32 {
        None = 0 => "none",
        /// The kernel's default.
        Default = 1 => "default",
    }
}

impl Netkit {
    /// Returns the attributes of the pair.
    pub(crate) fn bytes_with(&self, peer: Option<LinkMessage>) -> Vec<u8> {
        let mut attributes = self.attributes();
        attributes.extend(peer.map(|peer| {
            let mut bytes = vec![0; peer.buffer_len()];
            peer.emit(&mut bytes);
            DefaultNla::new(PEER_INFO | NLA_F_NESTED, bytes)
        }));
        let mut bytes = vec![0; attributes.as_slice().buffer_len()];
        attributes.as_slice().emit(&mut bytes);
        bytes
    }
}
