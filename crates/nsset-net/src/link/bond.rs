//! A bond: several links, its ports, that work as one.

use std::time::Duration;

use netlink_packet_route::link::InfoBond;
use serde::{Deserialize, Serialize};
use serde_with::{serde_as, skip_serializing_none};

use crate::milliseconds::Milliseconds;

/// A bond. Its ports are the links that have it as their master.
#[serde_as]
#[skip_serializing_none]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Bond {
    pub mode: BondMode,
    /// The interval for checking the carrier of the ports. By default the kernel does not check it.
    #[serde_as(as = "Option<Milliseconds>")]
    pub monitor_interval: Option<Duration>,
}

/// How the bond chooses the port for a packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum BondMode {
    /// The kernel's default.
    #[default]
    #[serde(rename = "balance-rr")]
    BalanceRoundRobin,
    #[serde(rename = "active-backup")]
    ActiveBackup,
    #[serde(rename = "balance-xor")]
    BalanceXor,
    #[serde(rename = "broadcast")]
    Broadcast,
    /// LACP.
    #[serde(rename = "802.3ad")]
    Ieee8023ad,
    #[serde(rename = "balance-tlb")]
    BalanceTransmit,
    #[serde(rename = "balance-alb")]
    BalanceAdaptive,
}

impl Bond {
    pub(crate) fn info(self) -> Vec<InfoBond> {
        use netlink_packet_route::link::BondMode as Mode;
        let mode = match self.mode {
            BondMode::BalanceRoundRobin => Mode::BalanceRr,
            BondMode::ActiveBackup => Mode::ActiveBackup,
            BondMode::BalanceXor => Mode::BalanceXor,
            BondMode::Broadcast => Mode::Broadcast,
            BondMode::Ieee8023ad => Mode::Ieee8023Ad,
            BondMode::BalanceTransmit => Mode::BalanceTlb,
            BondMode::BalanceAdaptive => Mode::BalanceAlb,
        };
        let milliseconds = |time: Duration| u32::try_from(time.as_millis()).unwrap_or(u32::MAX);
        let monitor = self.monitor_interval.map(|time| InfoBond::MiiMon(milliseconds(time)));
        [InfoBond::Mode(mode)].into_iter().chain(monitor).collect()
    }

    pub(crate) fn read(info: impl Iterator<Item = InfoBond>) -> Self {
        use netlink_packet_route::link::BondMode as Mode;
        let mut bond = Self::default();
        for info in info {
            match info {
                InfoBond::MiiMon(time) => bond.monitor_interval = Some(Duration::from_millis(time.into())),
                InfoBond::Mode(Mode::ActiveBackup) => bond.mode = BondMode::ActiveBackup,
                InfoBond::Mode(Mode::BalanceXor) => bond.mode = BondMode::BalanceXor,
                InfoBond::Mode(Mode::Broadcast) => bond.mode = BondMode::Broadcast,
                InfoBond::Mode(Mode::Ieee8023Ad) => bond.mode = BondMode::Ieee8023ad,
                InfoBond::Mode(Mode::BalanceTlb) => bond.mode = BondMode::BalanceTransmit,
                InfoBond::Mode(Mode::BalanceAlb) => bond.mode = BondMode::BalanceAdaptive,
                _ => {}
            }
        }
        bond
    }
}
