//! The counters of a link.

use serde::{Serialize, Serializer, ser::SerializeSeq};

use crate::netlink::attributes::{Malformed, u64_at};

/// How many counters `struct rtnl_link_stats64` of linux/if_link.h has. Older kernels have fewer.
const COUNTERS: usize = 25;

/// The greatest integer below which JavaScript has them all.
const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

/// Counters since the link was created, in the order of `struct rtnl_link_stats64`. They are serialized without their names,
/// which would take half the size of a list of links, and without the zeros at the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics([u64; COUNTERS]);

impl Statistics {
    pub(crate) fn read(value: &[u8]) -> Result<Self, Malformed> {
        let mut counters = [0; COUNTERS];
        for (at, counter) in counters.iter_mut().enumerate().take(value.len() / size_of::<u64>()) {
            *counter = u64_at(value, size_of::<u64>() * at)?;
        }
        Ok(Self(counters))
    }

    pub const fn received_packets(&self) -> u64 {
        self.0[0]
    }

    pub const fn sent_packets(&self) -> u64 {
        self.0[1]
    }

    pub const fn received_bytes(&self) -> u64 {
        self.0[2]
    }

    pub const fn sent_bytes(&self) -> u64 {
        self.0[3]
    }
}

/// A counter that a number of JavaScript cannot hold is a text.
impl Serialize for Statistics {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let used = self.0.iter().rposition(|counter| *counter != 0).map_or(0, |last| last + 1);
        let mut counters = serializer.serialize_seq(Some(used))?;
        for counter in self.0.iter().take(used) {
            match counter {
                0..=MAX_SAFE_INTEGER => counters.serialize_element(counter)?,
                _ => counters.serialize_element(&counter.to_string())?,
            }
        }
        counters.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_that_a_number_cannot_hold_are_texts_and_zeros_at_the_end_are_left_out() {
        let counters: Vec<u8> =
            [1, 0, MAX_SAFE_INTEGER, MAX_SAFE_INTEGER + 1, u64::MAX, 0, 0].map(u64::to_ne_bytes).concat();
        let text = serde_json::to_string(&Statistics::read(&counters).unwrap()).unwrap();
        assert_eq!(text, r#"[1,0,9007199254740991,"9007199254740992","18446744073709551615"]"#);
        assert_eq!(serde_json::to_string(&Statistics::default()).unwrap(), "[]");
    }
}
