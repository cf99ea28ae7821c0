//! Bit sets of ethtool: Documentation/networking/ethtool-netlink.rst of the kernel.

use std::collections::BTreeMap;

use netlink_packet_core::{DefaultNla, Emitable, NLA_F_NESTED};

use crate::netlink::attributes::{Attributes, Malformed, text};

/// `ETHTOOL_A_BITSET_*` of linux/ethtool_netlink.h.
const NOMASK: u16 = 1;
const BITS: u16 = 3;
const BITS_BIT: u16 = 1;
const BIT_NAME: u16 = 2;
const BIT_VALUE: u16 = 3;

/// Returns the named bits of a set, and whether each is on. In a set without a mask, all bits that it has are on.
pub(super) fn bits(set: &[u8]) -> Result<Vec<(String, bool)>, Malformed> {
    let mut bits = Vec::new();
    let mut has_mask = true;
    for attribute in Attributes::within(set) {
        match attribute? {
            (NOMASK, _) => has_mask = false,
            (BITS, list) => {
                for bit in Attributes::within(list) {
                    bits.push(read_bit(bit?.1)?);
                }
            }
            _ => {}
        }
    }
    // The kernel has bits without a name, which it sets itself.
    let named = bits.into_iter().filter(|(name, _)| !name.is_empty());
    Ok(named.map(|(name, value)| (name, value || !has_mask)).collect())
}

fn read_bit(bit: &[u8]) -> Result<(String, bool), Malformed> {
    let (mut called, mut value) = (String::new(), false);
    for attribute in Attributes::within(bit) {
        match attribute? {
            (BIT_NAME, name) => called = text(name),
            (BIT_VALUE, _) => value = true,
            _ => {}
        }
    }
    Ok((called, value))
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
    fn the_bits_of_a_set_are_read() {
        let wanted = BTreeMap::from([(String::new(), true), ("rx-gro".to_owned(), true), ("rx-lro".to_owned(), false)]);
        let set = changing(&wanted);
        assert_eq!(bits(&set).unwrap(), [("rx-gro".to_owned(), true), ("rx-lro".to_owned(), false)]);
        let without_mask = [bytes(&[DefaultNla::new(NOMASK, Vec::new())]), set].concat();
        assert!(bits(&without_mask).unwrap().iter().all(|(_, on)| *on));
        assert_eq!(bits(&[]).unwrap(), []);
        assert!(bits(&[8, 0, 3, 0, 9, 0, 0, 0]).is_err());
    }
}
