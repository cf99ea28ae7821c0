//! Stochastic fair queueing: a fair share for each flow (tc-sfq(8)).

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_with::{serde_as, skip_serializing_none};

use crate::{
    milliseconds::Milliseconds,
    netlink::attributes::{Malformed, u32_at},
};

/// Fields that are left out have the kernel's default values.
#[serde_as]
#[skip_serializing_none]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Sfq {
    /// How many bytes a flow sends in its turn.
    pub quantum: Option<u32>,
    /// How often the hash function changes, in whole seconds; zero for never.
    #[serde_as(as = "Milliseconds")]
    pub perturb: Duration,
    /// How many packets may wait.
    pub limit: Option<u32>,
    /// The size of the hash table, a power of two. It cannot be changed later.
    pub divisor: Option<u32>,
    pub flows: Option<u32>,
    /// How many packets of a flow may wait.
    pub depth: Option<u32>,
    /// Whether the oldest packet of a full queue is dropped, and not the newest.
    pub head_drop: bool,
}

/// The places in `struct tc_sfq_qopt_v1` of linux/pkt_sched.h, whose rest is about RED and its counters.
const RED_MINIMUM: usize = 32;
const WORDS: usize = 18;

impl Sfq {
    pub(crate) fn options(self) -> Vec<u8> {
        let seconds = u32::try_from(self.perturb.as_secs()).unwrap_or(u32::MAX);
        let given = [
            self.quantum.unwrap_or(0),
            seconds,
            self.limit.unwrap_or(0),
            self.divisor.unwrap_or(0),
            self.flows.unwrap_or(0),
            self.depth.unwrap_or(0),
            self.head_drop.into(),
        ];
        let rest = [0; WORDS - 7];
        given.into_iter().chain(rest).flat_map(u32::to_ne_bytes).collect()
    }

    /// Reads the options. One with RED is malformed here, so that the octets of its options are kept.
    pub(crate) fn read(options: &[u8]) -> Result<Self, Malformed> {
        if u32_at(options, RED_MINIMUM)? != 0 {
            return Err(Malformed);
        }
        Ok(Self {
            quantum: Some(u32_at(options, 0)?),
            perturb: Duration::from_secs(u32_at(options, 4)?.into()),
            limit: Some(u32_at(options, 8)?),
            divisor: Some(u32_at(options, 12)?),
            flows: Some(u32_at(options, 16)?),
            depth: Some(u32_at(options, 20)?),
            head_drop: u32_at(options, 24)? != 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_it_is_written_unless_it_has_red() {
        let sfq = Sfq {
            quantum: Some(1514),
            perturb: Duration::from_secs(10),
            limit: Some(100),
            divisor: Some(1024),
            flows: Some(50),
            depth: Some(20),
            head_drop: true,
        };
        let mut options = sfq.options();
        assert_eq!((options.len(), Sfq::read(&options)), (72, Ok(sfq)));
        options[RED_MINIMUM] = 1;
        assert_eq!(Sfq::read(&options), Err(Malformed));
    }
}
