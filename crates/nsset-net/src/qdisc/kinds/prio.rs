//! Strict priorities: a band is served while all bands before it are empty (tc-prio(8)).

use serde::{Deserialize, Serialize};

use crate::netlink::attributes::{Malformed, array_at, u32_at};

/// `TC_PRIO_MAX` of linux/pkt_sched.h: how many priorities there are.
const PRIORITIES: usize = 16;

/// The band of each priority of a packet.
pub(crate) type PriorityMap = [u8; PRIORITIES];

/// The map of tc(8) and of `pfifo_fast`.
const DEFAULT_MAP: PriorityMap = [1, 2, 2, 2, 1, 2, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1];

/// Strict priorities. Each band is a class, `1:1` being the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Prio {
    pub bands: u32,
    /// Default: that of tc(8), whose last bands become the last one where there are fewer.
    pub priority_map: Option<PriorityMap>,
}

impl Default for Prio {
    fn default() -> Self {
        Self { bands: 3, priority_map: None }
    }
}

impl Prio {
    /// `struct tc_prio_qopt` of linux/pkt_sched.h.
    pub(crate) fn options(self) -> Vec<u8> {
        let last = u8::try_from(self.bands.saturating_sub(1)).unwrap_or(u8::MAX);
        let map = self.priority_map.unwrap_or_else(|| DEFAULT_MAP.map(|band| band.min(last)));
        [&self.bands.to_ne_bytes()[..], &map].concat()
    }

    pub(crate) fn read(options: &[u8]) -> Result<Self, Malformed> {
        Ok(Self { bands: u32_at(options, 0)?, priority_map: Some(array_at(options, 4)?) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_written_as_tc_writes_it_and_read_again() {
        let tc = [4, 0, 0, 0, 1, 2, 2, 2, 1, 2, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1];
        assert_eq!(Prio { bands: 4, priority_map: None }.options(), tc);
        assert_eq!(Prio::read(&tc).unwrap().options(), tc);
        let two = Prio { bands: 2, priority_map: None }.options();
        assert_eq!(two[4..], [1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1]);
    }
}
