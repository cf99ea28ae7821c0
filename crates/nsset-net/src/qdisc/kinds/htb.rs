//! Hierarchical token buckets: the root, below which classes are created (tc-htb(8)).

use serde::{Deserialize, Serialize};

use crate::{
    netlink::attributes::{Attributes, Malformed, u32_at},
    qdisc::options::Options,
};

/// The root of a hierarchy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Htb {
    /// The minor number of the class for packets that no filter has classified. With 0 such packets are sent immediately.
    pub default_class: u16,
}

/// `TCA_HTB_INIT` of linux/pkt_sched.h.
const INIT: u16 = 2;

/// `struct tc_htb_glob`: the version that the kernel checks, and the divisor that makes a class' quantum from its rate.
const VERSION: u32 = 3;
const RATE_TO_QUANTUM: u32 = 10;

impl Htb {
    pub(crate) fn options(self) -> Vec<u8> {
        let mut options = Options::default();
        options.put(INIT, &[VERSION, RATE_TO_QUANTUM, self.default_class.into(), 0, 0]);
        options.into_bytes()
    }

    pub(crate) fn read(options: &[u8]) -> Result<Self, Malformed> {
        let mut htb = Self::default();
        for attribute in Attributes::within(options) {
            if let (INIT, value) = attribute? {
                htb.default_class = u32_at(value, 8)? as u16;
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
        let htb = Htb { default_class: 0x30 };
        assert_eq!(htb.options(), TC);
        assert_eq!(Htb::read(TC).unwrap(), htb);
    }
}
