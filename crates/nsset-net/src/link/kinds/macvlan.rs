//! A MACVLAN: a link with its own MAC address on another device.

use netlink_packet_route::link::InfoMacVlan;
use serde::{Deserialize, Serialize};

/// A MACVLAN. Its device is the `dev` of its [`LinkSpec`](crate::LinkSpec).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct MacVlan {
    pub mode: MacVlanMode,
}

/// With which other MACVLAN links on the same device a link can communicate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MacVlanMode {
    /// With none.
    Private,
    /// With all, through an external switch that sends frames back. The kernel's default.
    #[default]
    Vepa,
    /// With all, directly.
    Bridge,
    /// The device has only one MACVLAN link.
    #[serde(rename = "passthru")]
    Passthrough,
    /// With those whose MAC addresses are allowed.
    Source,
}

impl MacVlan {
    pub(crate) fn info(self) -> Vec<InfoMacVlan> {
        use netlink_packet_route::link::MacVlanMode as Mode;
        let mode = match self.mode {
            MacVlanMode::Private => Mode::Private,
            MacVlanMode::Vepa => Mode::Vepa,
            MacVlanMode::Bridge => Mode::Bridge,
            MacVlanMode::Passthrough => Mode::Passthrough,
            MacVlanMode::Source => Mode::Source,
        };
        vec![InfoMacVlan::Mode(mode)]
    }

    pub(crate) fn read(mut info: impl Iterator<Item = InfoMacVlan>) -> Self {
        use netlink_packet_route::link::MacVlanMode as Mode;
        let mode = info.find_map(|info| match info {
            InfoMacVlan::Mode(Mode::Private) => Some(MacVlanMode::Private),
            InfoMacVlan::Mode(Mode::Bridge) => Some(MacVlanMode::Bridge),
            InfoMacVlan::Mode(Mode::Passthrough) => Some(MacVlanMode::Passthrough),
            InfoMacVlan::Mode(Mode::Source) => Some(MacVlanMode::Source),
            _ => None,
        });
        Self { mode: mode.unwrap_or_default() }
    }
}
