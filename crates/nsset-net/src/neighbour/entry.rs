//! The message that neighbours and forwarding entries share: `struct ndmsg` and `NDA_*` of linux/neighbour.h.

use crate::{
    netlink::attributes::{Attributes, Malformed, u8_at, u16_at, u32_at},
    netlink::message::Message,
};

pub(super) const DESTINATION: u16 = 1;
pub(super) const HARDWARE_ADDRESS: u16 = 2;
pub(super) const CACHE_INFO: u16 = 3;
pub(super) const PROBES: u16 = 4;
pub(super) const VLAN: u16 = 5;
pub(super) const PORT: u16 = 6;
pub(super) const VNI: u16 = 7;
pub(super) const VIA: u16 = 8;
pub(super) const MASTER: u16 = 9;
pub(super) const SOURCE_VNI: u16 = 11;
pub(super) const PROTOCOL: u16 = 12;
pub(super) const NEXT_HOP_ID: u16 = 13;
pub(super) const FLAGS_EXT: u16 = 15;

const HEADER: usize = 12;

/// `struct ndmsg`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub family: u8,
    pub link: u32,
    pub state: u16,
    pub flags: u8,
}

impl Header {
    pub fn read(message: &[u8]) -> Result<Self, Malformed> {
        Ok(Self {
            family: u8_at(message, 0)?,
            link: u32_at(message, 4)?,
            state: u16_at(message, 8)?,
            flags: u8_at(message, 10)?,
        })
    }

    /// Starts a message of this type.
    pub fn message(self, kind: u16) -> Message {
        let mut header = vec![self.family, 0, 0, 0];
        header.extend(self.link.to_ne_bytes());
        header.extend(self.state.to_ne_bytes());
        header.extend([self.flags, 0]);
        Message::new(kind, header)
    }
}

/// The attributes of a message.
pub(super) fn attributes(message: &[u8]) -> Result<Attributes<'_>, Malformed> {
    Attributes::behind(HEADER, message)
}
