//! The device that the packets of a tunnel leave through: the first attribute of every kind of tunnel (`IFLA_IPTUN_LINK`,
//! `IFLA_GRE_LINK`, `IFLA_VTI_LINK` and `IFLA_XFRM_LINK` of linux/if_tunnel.h and linux/if_link.h).

use netlink_packet_core::{DefaultNla, Emitable};

use crate::netlink::attributes::{Attributes, u32_at};

const LINK: u16 = 1;

/// Returns the data of a tunnel whose packets leave through a device.
pub(in crate::link::kinds) fn carried_by(dev: Option<u32>, mut attributes: Vec<DefaultNla>) -> Vec<u8> {
    attributes.extend(dev.map(|index| DefaultNla::new(LINK, index.to_ne_bytes().into())));
    let mut bytes = vec![0; attributes.as_slice().buffer_len()];
    attributes.as_slice().emit(&mut bytes);
    bytes
}

/// Returns the index of the device, if the tunnel has one.
pub(in crate::link::kinds) fn carrier_of(data: &[u8]) -> Option<u32> {
    let link = Attributes::within(data).flatten().find(|(number, _)| *number == LINK);
    link.and_then(|(_, value)| u32_at(value, 0).ok()).filter(|index| *index != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_device_is_read_as_it_is_written() {
        assert_eq!(carrier_of(&carried_by(Some(7), Vec::new())), Some(7));
        assert_eq!(carrier_of(&carried_by(None, vec![DefaultNla::new(2, vec![1, 2, 3, 4])])), None);
        assert_eq!(carrier_of(&carried_by(Some(0), Vec::new())), None);
    }
}
