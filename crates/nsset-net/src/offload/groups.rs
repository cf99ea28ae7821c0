//! Features that ethtool(8) names together: `ethtool -K eth0 tso off`.

use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

/// Groups of features. In a list: whether a feature of the group is active.
#[skip_serializing_none]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct OffloadGroups {
    pub receive_checksum: Option<bool>,
    pub transmit_checksum: Option<bool>,
    pub scatter_gather: Option<bool>,
    pub tso: Option<bool>,
    pub gso: Option<bool>,
    pub gro: Option<bool>,
    pub lro: Option<bool>,
    pub receive_vlan: Option<bool>,
    pub transmit_vlan: Option<bool>,
    pub ntuple: Option<bool>,
    pub receive_hash: Option<bool>,
}

/// The features of a group.
type Members = &'static [&'static str];

impl OffloadGroups {
    /// Passes each group on, with its name and its features: `netdev_features_strings` of net/ethtool/common.c.
    pub(super) fn each(&mut self, mut on_group: impl FnMut(&'static str, &mut Option<bool>, Members)) {
        on_group("receiveChecksum", &mut self.receive_checksum, &["rx-checksum"]);
        on_group(
            "transmitChecksum",
            &mut self.transmit_checksum,
            &[
                "tx-checksum-ipv4",
                "tx-checksum-ip-generic",
                "tx-checksum-ipv6",
                "tx-checksum-fcoe-crc",
                "tx-checksum-sctp",
            ],
        );
        on_group("scatterGather", &mut self.scatter_gather, &["tx-scatter-gather", "tx-scatter-gather-fraglist"]);
        on_group(
            "tso",
            &mut self.tso,
            &["tx-tcp-segmentation", "tx-tcp-ecn-segmentation", "tx-tcp-mangleid-segmentation", "tx-tcp6-segmentation"],
        );
        on_group("gso", &mut self.gso, &["tx-generic-segmentation"]);
        on_group("gro", &mut self.gro, &["rx-gro"]);
        on_group("lro", &mut self.lro, &["rx-lro"]);
        on_group("receiveVlan", &mut self.receive_vlan, &["rx-vlan-hw-parse"]);
        on_group("transmitVlan", &mut self.transmit_vlan, &["tx-vlan-hw-insert"]);
        on_group("ntuple", &mut self.ntuple, &["rx-ntuple-filter"]);
        on_group("receiveHash", &mut self.receive_hash, &["rx-hashing"]);
    }
}
