//! What the kernel knows about a connection: the bits `IPS_*` of linux/netfilter/nf_conntrack_common.h.

use serde::{Deserialize, Serialize};

/// A bit of the status of a connection, as nft(8) names those that it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConnectionStatus {
    /// Another connection had announced it, as FTP does.
    Expected,
    SeenReply,
    /// It is not deleted early, when there is no room for others.
    Assured,
    Confirmed,
    Snat,
    Dnat,
    Dying,
    FixedTimeout,
    Helper,
    Offload,
    HwOffload,
}

const BITS: [(ConnectionStatus, u32); 11] = [
    (ConnectionStatus::Expected, 0),
    (ConnectionStatus::SeenReply, 1),
    (ConnectionStatus::Assured, 2),
    (ConnectionStatus::Confirmed, 3),
    (ConnectionStatus::Snat, 4),
    (ConnectionStatus::Dnat, 5),
    (ConnectionStatus::Dying, 9),
    (ConnectionStatus::FixedTimeout, 10),
    (ConnectionStatus::Helper, 13),
    (ConnectionStatus::Offload, 14),
    (ConnectionStatus::HwOffload, 15),
];

impl ConnectionStatus {
    /// Returns the bits of a status that have a name.
    pub(super) fn all_of(status: u32) -> Vec<Self> {
        BITS.iter().filter(|(_, bit)| status >> bit & 1 == 1).map(|(named, _)| *named).collect()
    }
}
