//! Hierarchical token buckets: the root, below which classes are created (tc-htb(8)).

use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use crate::{
    netlink::attributes::{Attributes, Malformed, u32_at},
    qdisc::options::Options,
};

/// The root of a hierarchy.
#[skip_serializing_none]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Htb {
    /// The minor number of the class for packets that no filter has classified. With 0 such packets are sent immediately.
    pub default_class: u16,
    /// By what the rate of a class in bytes per second is divided to get its quantum. Default: 10.
    pub rate_to_quantum: Option<u32>,
    /// How many of the packets that are sent immediately may wait. Default: the length of the link's queue.
    pub direct_queue_length: Option<u32>,
}

/// `TCA_HTB_*` of linux/pkt_sched.h.
const INIT: u16 = 2;
const DIRECT_QLEN: u16 = 5;

/// `struct tc_htb_glob`: the version that the kernel checks, and the divisor that makes a class' quantum from its rate.
const VERSION: u32 = 3;
const RATE_TO_QUANTUM: u32 = 10;

impl Htb {
    pub(crate) fn options(self) -> Vec<u8> {
        let mut options = Options::default();
        let rate_to_quantum = self.rate_to_quantum.unwrap_or(RATE_TO_QUANTUM);
        options.put(INIT, &[VERSION, rate_to_quantum, self.default_class.into(), 0, 0]);
        if let Some(length) = self.direct_queue_length {
            options.put(DIRECT_QLEN, &[length]);
        }
        options.into_bytes()
    }

    pub(crate) fn read(options: &[u8]) -> Result<Self, Malformed> {
        let mut htb = Self::default();
        for attribute in Attributes::within(options) {
            match attribute? {
                (INIT, value) => {
                    htb.default_class = u32_at(value, 8)? as u16;
                    htb.rate_to_quantum = Some(u32_at(value, 4)?);
                }
                (DIRECT_QLEN, value) => htb.direct_queue_length = Some(u32_at(value, 0)?),
                _ => {}
            }
        }
        Ok(htb)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes that tc of iproute2 6.1 sends (strace) for `htb default 0x30`.
    const TC: &[u8] =
        b"\x18\x00\x02\x00\x03\x00\x00\x00\x0a\x00\x00\x00\x30\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00";

    #[test]
    fn it_is_written_as_tc_writes_it_and_read_again() {
        let htb = Htb { default_class: 0x30, rate_to_quantum: Some(10), direct_queue_length: None };
        assert_eq!(htb.options(), TC);
        assert_eq!(Htb::read(TC).unwrap(), htb);
    }
}
