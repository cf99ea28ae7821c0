//! What the kernel has counted about tracking connections: `enum ctattr_stats_cpu` and `enum ctattr_stats_global`.

use serde::Serialize;

use crate::netlink::attributes::{Attributes, Malformed, array_at};

/// `struct nfgenmsg`.
const HEADER: usize = 4;

/// Counters of the whole network, since it exists.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConntrackStatistics {
    /// How many connections there are.
    pub entries: u32,
    /// How many there can be: the sysctl `net.netfilter.nf_conntrack_max`.
    pub max_entries: u32,
    pub found: u64,
    pub invalid: u64,
    pub insert: u64,
    pub insert_failed: u64,
    pub drop: u64,
    pub early_drop: u64,
    pub error: u64,
    pub search_restart: u64,
    pub clash_resolve: u64,
    pub chain_too_long: u64,
}

impl ConntrackStatistics {
    /// Adds the counters of a processor.
    pub(super) fn add(&mut self, message: &[u8]) -> Result<(), Malformed> {
        for attribute in Attributes::behind(HEADER, message)? {
            let (kind, value) = attribute?;
            let counter = match kind {
                2 => &mut self.found,
                4 => &mut self.invalid,
                8 => &mut self.insert,
                9 => &mut self.insert_failed,
                10 => &mut self.drop,
                11 => &mut self.early_drop,
                12 => &mut self.error,
                13 => &mut self.search_restart,
                14 => &mut self.clash_resolve,
                15 => &mut self.chain_too_long,
                _ => continue,
            };
            *counter += u64::from(array_at(value, 0).map(u32::from_be_bytes)?);
        }
        Ok(())
    }

    /// Reads how many connections there are, and can be. Kernels before 5.10 do not say the second.
    pub(super) fn read_entries(message: &[u8]) -> Result<(u32, u32), Malformed> {
        let (mut entries, mut most) = (0, 0);
        for attribute in Attributes::behind(HEADER, message)? {
            match attribute? {
                (1, value) => entries = array_at(value, 0).map(u32::from_be_bytes)?,
                (2, value) => most = array_at(value, 0).map(u32::from_be_bytes)?,
                _ => {}
            }
        }
        Ok((entries, most))
    }
}
