//! TUN and TAP devices: links whose other end is a program. They are created with `/dev/net/tun`, not with rtnetlink.

use std::{
    ffi::{c_int, c_short},
    mem::zeroed,
    os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd},
};

use nix::errno::Errno;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use crate::netlink::attributes::{Attributes, Malformed, u8_at, u32_at};

/// `IFLA_TUN_*` of linux/if_link.h.
const IFLA_TUN_OWNER: u16 = 1;
const IFLA_TUN_GROUP: u16 = 2;
const IFLA_TUN_TYPE: u16 = 3;

/// The value of `IFLA_TUN_TYPE` for a TAP device: `IFF_TAP` of linux/if_tun.h.
const TAP: u8 = libc::IFF_TAP as u8;

/// `TUNSETIFINDEX` of linux/if_tun.h: sets the index of the new device.
const TUNSETIFINDEX: libc::Ioctl = 0x4004_54DA;

/// `TUNGETDEVNETNS` of linux/if_tun.h.
const TUNGETDEVNETNS: libc::Ioctl = 0x54E3;

/// `IFF_TUN_EXCL` of linux/if_tun.h: a device of that name must not exist.
const EXCLUSIVE: c_int = 0x8000;

/// A TUN or TAP device.
#[skip_serializing_none]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Tun {
    pub mode: TunMode,
    /// The user who may open the device without CAP_NET_ADMIN.
    pub owner: Option<u32>,
    pub group: Option<u32>,
}

/// What the program reads and writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TunMode {
    /// IP packets.
    #[default]
    Tun,
    /// Ethernet frames.
    Tap,
}

impl Tun {
    /// Returns whether this has all settings of `other`.
    pub(crate) fn has_data_of(self, other: Self) -> bool {
        let has = |own: Option<u32>, other: Option<u32>| other.is_none() || own == other;
        self.mode == other.mode && has(self.owner, other.owner) && has(self.group, other.group)
    }

    pub(crate) fn read(data: &[u8]) -> Result<Self, Malformed> {
        let mut tun = Self::default();
        for attribute in Attributes::within(data) {
            match attribute? {
                (IFLA_TUN_OWNER, value) => tun.owner = Some(u32_at(value, 0)?),
                (IFLA_TUN_GROUP, value) => tun.group = Some(u32_at(value, 0)?),
                (IFLA_TUN_TYPE, value) if u8_at(value, 0)? == TAP => tun.mode = TunMode::Tap,
                _ => {}
            }
        }
        Ok(tun)
    }
}

/// Creates the device. Closing the descriptor deletes it, if [`persist`] is not called before.
pub(crate) fn make(tun: Tun, device: BorrowedFd<'_>, name: &str, index: Option<u32>) -> Result<(), Errno> {
    if let Some(index) = index {
        // SAFETY: this ioctl takes a pointer to a number.
        Errno::result(unsafe { libc::ioctl(device.as_raw_fd(), TUNSETIFINDEX, &raw const index) })?;
    }
    let mode = match tun.mode {
        TunMode::Tun => libc::IFF_TUN,
        TunMode::Tap => libc::IFF_TAP,
    };
    // SAFETY: all zeros is a valid request.
    let mut request: libc::ifreq = unsafe { zeroed() };
    for (place, byte) in request.ifr_name.iter_mut().zip(name.bytes()) {
        *place = byte as _;
    }
    request.ifr_ifru.ifru_flags = (mode | libc::IFF_NO_PI | EXCLUSIVE) as c_short;
    // SAFETY: this ioctl takes a pointer to a `struct ifreq`.
    Errno::result(unsafe { libc::ioctl(device.as_raw_fd(), libc::TUNSETIFF as _, &raw mut request) })?;
    for (request, id) in [(libc::TUNSETOWNER, tun.owner), (libc::TUNSETGROUP, tun.group)] {
        if let Some(id) = id {
            // SAFETY: this ioctl takes a number.
            Errno::result(unsafe { libc::ioctl(device.as_raw_fd(), request as _, id) })?;
        }
    }
    Ok(())
}

/// Returns the network namespace in which the device was created.
pub(crate) fn namespace(device: BorrowedFd<'_>) -> Result<OwnedFd, Errno> {
    // SAFETY: this ioctl takes no argument.
    let fd = Errno::result(unsafe { libc::ioctl(device.as_raw_fd(), TUNGETDEVNETNS) })?;
    // SAFETY: the kernel has just returned the descriptor, and nothing else owns it. It is close-on-exec.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Makes the device stay when the descriptor is closed.
pub(crate) fn persist(device: BorrowedFd<'_>) -> Result<(), Errno> {
    // SAFETY: this ioctl takes a number.
    Errno::result(unsafe { libc::ioctl(device.as_raw_fd(), libc::TUNSETPERSIST as _, 1) }).map(drop)
}
