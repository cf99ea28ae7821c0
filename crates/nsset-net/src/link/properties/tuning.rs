//! Queue lengths, sizes of aggregated packets, and the group of a link.

use crate::netlink::settings::settings;

settings! {
    /// Numbers that every link has and that can be changed: `IFLA_*` of linux/if_link.h.
    pub struct Tuning {
        /// How many packets wait in the queue of a queueing discipline that does not have its own limit.
        tx_queue_length: u32 = 13,
        /// A number for addressing several links at once.
        link_group: u32 = 27,
        /// The largest number of segments of a packet that the link divides itself.
        gso_max_segments: u32 = 40,
        /// The largest such packet, in bytes.
        gso_max_size: u32 = 41,
        /// The largest packet that arriving ones are joined to, in bytes.
        gro_max_size: u32 = 58,
        gso_ipv4_max_size: u32 = 63,
        gro_ipv4_max_size: u32 = 64,
    }
}
