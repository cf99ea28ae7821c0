//! A VRF: the links that have it as their master route by a table of their own.

use netlink_packet_route::link::InfoVrf;
use serde::{Deserialize, Serialize};

/// A VRF.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Vrf {
    /// The number of the routing table, which is not 0.
    pub table: u32,
}

impl Vrf {
    pub(crate) fn info(self) -> Vec<InfoVrf> {
        vec![InfoVrf::TableId(self.table)]
    }

    pub(crate) fn read(mut info: impl Iterator<Item = InfoVrf>) -> Self {
        let table = info.find_map(|info| match info {
            InfoVrf::TableId(table) => Some(table),
            _ => None,
        });
        Self { table: table.unwrap_or_default() }
    }
}
