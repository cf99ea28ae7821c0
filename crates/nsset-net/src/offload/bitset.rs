//! Bit sets of ethtool: Documentation/networking/ethtool-netlink.rst of the kernel.

use std::collections::BTreeMap;

use netlink_packet_core::{DefaultNla, Emitable, NLA_F_NESTED};

use crate::netlink::attributes::{Attributes, Malformed, text};

/// `ETHTOOL_A_BITSET_*` of linux/ethtool_netlink.h.
const BITS: u16 = 3;
const BITS_BIT: u16 = 1;
const BIT_NAME: u16 = 2;
const BIT_VALUE: u16 = 3;

/// Returns the names in a set without a mask.
pub(super) fn names(set: &[u8]) -> Result<Vec<String>, Malformed> {
    let mut names = Vec::new();
    for attribute in Attributes::within(set) {
        let (BITS, bits) = attribute? else { continue };
        for bit in Attributes::within(bits) {
            for attribute in Attributes::within(bit?.1) {
                match attribute? {
                    // The kernel has features without a name, which it sets itself.
                    (BIT_NAME, name) if name != [0] => names.push(text(name)),
                    _ => {}
                }
            }
        }
    }
    Ok(names)
}

/// Writes a set that changes these bits and no others.
pub(super) fn changing(bits: &BTreeMap<String, bool>) -> Vec<u8> {
    let bits = bits.iter().map(|(name, value)| {
        let mut bit = vec![DefaultNla::new(BIT_NAME, [name.as_bytes(), &[0]].concat())];
        bit.extend(value.then(|| DefaultNla::new(BIT_VALUE, Vec::new())));
        nested(BITS_BIT, &bit)
    });
    bytes(&[nested(BITS, &bits.collect::<Vec<_>>())])
}

pub(super) fn nested(kind: u16, attributes: &[DefaultNla]) -> DefaultNla {
    DefaultNla::new(kind | NLA_F_NESTED, bytes(attributes))
}

pub(super) fn bytes(attributes: &[DefaultNla]) -> Vec<u8> {
    let mut bytes = vec![0; attributes.buffer_len()];
    attributes.emit(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_a_set_are_read() {
        let wanted = BTreeMap::from([("rx-gro".to_owned(), true), ("tx-tcp-segmentation".to_owned(), false)]);
        assert_eq!(names(&changing(&wanted)).unwrap(), ["rx-gro", "tx-tcp-segmentation"]);
        let nameless = BTreeMap::from([(String::new(), true), ("rx-gro".to_owned(), true)]);
        assert_eq!(names(&changing(&nameless)).unwrap(), ["rx-gro"]);
        assert_eq!(names(&[]).unwrap(), Vec::<String>::new());
        assert!(names(&[8, 0, 3, 0, 9, 0, 0, 0]).is_err());
    }
}
