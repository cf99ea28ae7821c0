//! A MACVLAN: a link with its own MAC address on another device.

use netlink_packet_core::{DefaultNla, Emitable};
use serde::{Deserialize, Serialize};

use crate::{
    mac::Mac,
    netlink::{
        attributes::{Attributes, Malformed, array_at},
        settings::{flags, settings, words},
        value::Value,
    },
};

settings! {
    /// A MACVLAN: `IFLA_MACVLAN_*` of linux/if_link.h. Its device is the `dev` of its [`LinkSpec`](crate::LinkSpec).
    pub struct MacVlan {
        mode: MacVlanMode = 1,
        flags: Vec<MacVlanFlag> = 2,
        /// What happens to the addresses of `source_macs`.
        #[serde(skip)]
        change: AddressChange = 3,
        /// The addresses whose frames it receives, in the mode `Source`.
        source_macs: SourceMacs = 5,
        /// How many broadcast frames wait for it.
        broadcast_queue_length: u32 = 7,
    }
}

words! {
    /// With which other MACVLAN links on the same device a link can communicate.
    pub enum MacVlanMode: u32 {
        /// With none.
        Private = 1 => "private",
        /// With all, through an external switch that sends frames back. The kernel's default.
        Vepa = 2 => "vepa",
        /// With all, directly.
        Bridge = 4 => "bridge",
        /// The device has only one MACVLAN link.
        Passthrough = 8 => "passthru",
        /// With those whose MAC addresses are allowed.
        Source = 16 => "source",
    }
}

flags! {
    /// `MACVLAN_FLAG_*` of linux/if_link.h.
    pub enum MacVlanFlag: u16 {
        /// The device does not have to receive all frames, in the mode `Passthrough`.
        NotPromiscuous = 1 => "not-promiscuous",
        /// Frames for other addresses do not wake the link, in the mode `Source`.
        NoDestination = 2 => "no-destination",
    }
}

words! {
    /// `MACVLAN_MACADDR_*` of linux/if_link.h.
    pub enum AddressChange: u32 {
        Set = 3 => "set",
    }
}

/// MAC addresses, each in an attribute of the same type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SourceMacs(pub Vec<Mac>);

/// `IFLA_MACVLAN_MACADDR`.
const ADDRESS: u16 = 4;

impl Value for SourceMacs {
    fn write(&self) -> Vec<u8> {
        let nested: Vec<_> = self.0.iter().map(|mac| DefaultNla::new(ADDRESS, mac.0.into())).collect();
        let mut bytes = vec![0; nested.as_slice().buffer_len()];
        nested.as_slice().emit(&mut bytes);
        bytes
    }

    /// The kernel lists none for the other modes.
    fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let macs: Result<Vec<_>, _> = Attributes::within(bytes).map(|mac| array_at(mac?.1, 0).map(Mac)).collect();
        macs.and_then(|macs| if macs.is_empty() { Err(Malformed) } else { Ok(Self(macs)) })
    }
}

impl MacVlan {
    /// Returns what is sent: the default mode of this crate, and what happens to the addresses.
    pub(super) fn with_mode(&self) -> Self {
        let mode = self.mode.or(Some(MacVlanMode::Vepa));
        Self { mode, change: self.source_macs.as_ref().map(|_| AddressChange::Set), ..self.clone() }
    }

    /// An unknown mode is listed as the default one.
    pub(super) fn read_with_mode(data: &[u8]) -> Self {
        let macvlan = Self::read(data);
        let flags = macvlan.flags.filter(|flags| !flags.is_empty());
        Self { mode: macvlan.mode.or(Some(MacVlanMode::Vepa)), flags, change: None, ..macvlan }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_it_is_written() {
        let macvlan = MacVlan {
            mode: Some(MacVlanMode::Source),
            flags: Some(vec![MacVlanFlag::NoDestination]),
            source_macs: Some(SourceMacs(vec![Mac([2, 0, 0, 0, 0, 1]), Mac([2, 0, 0, 0, 0, 2])])),
            broadcast_queue_length: Some(500),
            change: None,
        };
        assert_eq!(MacVlan::read_with_mode(&macvlan.with_mode().bytes()), macvlan);
    }
}
