//! The counters of a link.

use serde::{Serialize, Serializer};

use crate::netlink::attributes::{Malformed, u64_at};

/// Counters since the link was created. They are serialized in this order and without their names, which would take half the size
/// of a list of links.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    pub received_packets: u64,
    pub sent_packets: u64,
    pub received_bytes: u64,
    pub sent_bytes: u64,
    pub receive_errors: u64,
    pub send_errors: u64,
    pub receive_dropped: u64,
    pub send_dropped: u64,
    pub multicast: u64,
    pub collisions: u64,
}

impl Statistics {
    /// Reads the first members of `struct rtnl_link_stats64` (linux/if_link.h).
    pub(crate) fn read(value: &[u8]) -> Result<Self, Malformed> {
        let member = |index: usize| u64_at(value, 8 * index);
        Ok(Self {
            received_packets: member(0)?,
            sent_packets: member(1)?,
            received_bytes: member(2)?,
            sent_bytes: member(3)?,
            receive_errors: member(4)?,
            send_errors: member(5)?,
            receive_dropped: member(6)?,
            send_dropped: member(7)?,
            multicast: member(8)?,
            collisions: member(9)?,
        })
    }
}

impl Serialize for Statistics {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let counters = [
            self.received_packets,
            self.sent_packets,
            self.received_bytes,
            self.sent_bytes,
            self.receive_errors,
            self.send_errors,
            self.receive_dropped,
            self.send_dropped,
            self.multicast,
            self.collisions,
        ];
        counters.serialize(serializer)
    }
}
