//! TUN and TAP: links whose other end is a program.

use crate::attributes::{Attributes, Malformed, u8_at, u32_at};

/// `IFLA_TUN_*` of linux/if_link.h.
const IFLA_TUN_OWNER: u16 = 1;
const IFLA_TUN_GROUP: u16 = 2;
const IFLA_TUN_TYPE: u16 = 3;

/// `IFF_TAP` of linux/if_tun.h.
const IFF_TAP: u8 = 2;

/// A TUN or TAP device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tun {
    pub mode: TunMode,
    /// Who may open it, beside who has CAP_NET_ADMIN.
    pub owner: Option<u32>,
    pub group: Option<u32>,
}

/// What its program reads and writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TunMode {
    /// IP packets.
    #[default]
    Tun,
    /// Ethernet frames.
    Tap,
}

impl Tun {
    pub(crate) fn read(data: &[u8]) -> Result<Self, Malformed> {
        let mut tun = Self::default();
        for attribute in Attributes::within(data) {
            match attribute? {
                (IFLA_TUN_OWNER, value) => tun.owner = Some(u32_at(value, 0)?),
                (IFLA_TUN_GROUP, value) => tun.group = Some(u32_at(value, 0)?),
                (IFLA_TUN_TYPE, value) if u8_at(value, 0)? == IFF_TAP => tun.mode = TunMode::Tap,
                _ => {}
            }
        }
        Ok(tun)
    }
}
