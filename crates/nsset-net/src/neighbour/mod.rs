//! Neighbours (ip-neighbour(8)), and the forwarding entries of bridges and VXLANs (bridge(8), `fdb`), which have the same messages.

mod entry;
mod forwarding_entries;
mod forwarding_entry;
mod hardware_address;
#[allow(clippy::module_inception)]
mod neighbour;
mod neighbours;
mod statistics;

pub use forwarding_entries::ForwardingEntries;
pub use forwarding_entry::{ForwardingEntry, ForwardingEntrySpec, ForwardingState, ForwardingTable};
pub use hardware_address::HardwareAddress;
pub use neighbour::{Neighbour, NeighbourSpec, NeighbourState};
pub use neighbours::Neighbours;
pub use statistics::{ForwardingStatistics, NeighbourStatistics};

// `NTF_*` of linux/neighbour.h: flags of an entry.
const NTF_SELF: u8 = 0x02;
const NTF_MASTER: u8 = 0x04;
const NTF_PROXY: u8 = 0x08;
const NTF_EXT_LEARNED: u8 = 0x10;
const NTF_OFFLOADED: u8 = 0x20;
const NTF_STICKY: u8 = 0x40;
const NTF_ROUTER: u8 = 0x80;
