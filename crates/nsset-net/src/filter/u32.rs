//! A filter that compares words of the packet (tc-u32(8)).

use serde::{Deserialize, Serialize};

use crate::netlink::attributes::{Malformed, array_at, u8_at, u32_at};

/// The words to compare, all of which must match.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct U32 {
    pub matches: Vec<U32Match>,
}

/// A word of the packet: `struct tc_u32_key` of linux/pkt_cls.h.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct U32Match {
    pub value: u32,
    /// The bits that count.
    pub mask: u32,
    /// The place in bytes from the header of the network layer; negative numbers are before it.
    pub offset: i32,
}

/// `TC_U32_TERMINAL`: a match decides the class.
const TERMINAL: u8 = 1;

/// `struct tc_u32_sel`, and `struct tc_u32_key` after it.
const HEADER: usize = 16;
const KEY: usize = 16;

impl U32 {
    /// Returns `TCA_U32_SEL`.
    pub(super) fn selector(&self) -> Vec<u8> {
        let mut bytes = vec![0; HEADER];
        let head = [TERMINAL, 0, u8::try_from(self.matches.len()).unwrap_or(u8::MAX)];
        bytes.iter_mut().zip(head).for_each(|(place, byte)| *place = byte);
        for key in &self.matches {
            bytes.extend(key.mask.to_be_bytes());
            bytes.extend((key.value & key.mask).to_be_bytes());
            bytes.extend(key.offset.to_ne_bytes());
            bytes.extend([0; 4]);
        }
        bytes
    }

    pub(super) fn read(selector: &[u8]) -> Result<Self, Malformed> {
        // What is computed from the packet, or leads to another table.
        let more = selector.get(3..HEADER).ok_or(Malformed)?;
        if u8_at(selector, 0)? != TERMINAL || more.iter().any(|byte| *byte != 0) {
            return Err(Malformed);
        }
        let count = usize::from(u8_at(selector, 2)?);
        let keys = (0..count).map(|place| {
            let start = HEADER + KEY * place;
            if u32_at(selector, start + 12)? != 0 {
                return Err(Malformed);
            }
            Ok(U32Match {
                mask: array_at(selector, start).map(u32::from_be_bytes)?,
                value: array_at(selector, start + 4).map(u32::from_be_bytes)?,
                offset: u32_at(selector, start + 8)? as i32,
            })
        });
        Ok(Self { matches: keys.collect::<Result<_, _>>()? })
    }
}
