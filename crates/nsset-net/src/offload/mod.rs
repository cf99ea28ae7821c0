//! What a link does in place of the processor: checksums, segmentation, and joining segments (ethtool(8)).

mod bitset;
mod groups;
mod offloads;

pub use groups::OffloadGroups;
pub use offloads::{Offload, Offloads};
