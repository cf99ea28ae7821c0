//! Fair queueing with pacing: each socket is a flow, which sends at its own rate (tc-fq(8)).

use serde::Serialize;

use super::prio::PriorityMap;
use crate::netlink::{
    attributes::{Malformed, array_at, u32_at, u64_at},
    settings::settings,
    value::{Limited, Microseconds, Nanoseconds, PowerOfTwo, ShortByteRate, Value, WideBool, Words},
};

settings! {
    /// Fair queueing with pacing: `TCA_FQ_*` of linux/pkt_sched.h. Fields that are left out have the kernel's default values.
    pub struct Fq {
        /// How many packets may wait.
        limit: u32 = 1,
        /// How many packets of a flow may wait.
        flow_limit: u32 = 2,
        /// How many bytes a flow sends in its turn.
        quantum: u32 = 3,
        /// How many bytes a new flow sends in its first turn.
        initial_quantum: u32 = 4,
        /// Whether flows send at the rate of their socket.
        pacing: WideBool = 5,
        /// The highest rate of a flow.
        max_rate: Limited<ShortByteRate> = 7,
        /// The size of the hash table.
        buckets: PowerOfTwo = 8,
        /// How long a flow is idle before it gets another quantum.
        refill_delay: Microseconds = 9,
        /// Which bits of the hash of a packet without a socket count.
        orphan_mask: u32 = 10,
        /// Flows with a lower rate wait after each packet.
        low_rate_threshold: ShortByteRate = 11,
        /// After which delay packets are marked.
        ce_threshold: Limited<Microseconds> = 12,
        timer_slack: Nanoseconds = 13,
        /// How far ahead the time of a packet may be.
        horizon: Microseconds = 14,
        /// Whether packets beyond the horizon are dropped, and not sent at the horizon.
        horizon_drop: bool = 15,
        /// Which of the three bands a priority belongs to.
        priority_map: ThreeBands = 16,
        /// The weights of the three bands.
        weights: Words = 17,
    }
}

/// The band of each priority, with the number of bands before it, which is always three.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct ThreeBands(pub PriorityMap);

impl Value for ThreeBands {
    fn write(&self) -> Vec<u8> {
        [&3_u32.to_ne_bytes()[..], &self.0].concat()
    }

    fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        array_at(bytes, 4).map(Self)
    }
}

/// The counters of fair queueing: `struct tc_fq_qd_stats` of linux/pkt_sched.h.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FqStatistics {
    pub flows: u32,
    pub inactive_flows: u32,
    pub throttled_flows: u32,
    /// How many idle flows were removed.
    pub removed_flows: u64,
    /// How often a flow was throttled.
    pub throttled: u64,
    /// How many packets were dropped because their flow had its limit.
    pub flow_limit_drops: u64,
    /// How many packets were too long for the rate of their flow.
    pub too_long: u64,
    pub allocation_errors: u64,
    pub ce_marks: u64,
    pub horizon_drops: u64,
    pub horizon_caps: u64,
}

impl FqStatistics {
    pub(crate) fn read(value: &[u8]) -> Result<Self, Malformed> {
        Ok(Self {
            removed_flows: u64_at(value, 0)?,
            throttled: u64_at(value, 24)?,
            flow_limit_drops: u64_at(value, 32)?,
            too_long: u64_at(value, 40)?,
            allocation_errors: u64_at(value, 48)?,
            flows: u32_at(value, 64)?,
            inactive_flows: u32_at(value, 68)?,
            throttled_flows: u32_at(value, 72)?,
            ce_marks: u64_at(value, 80).unwrap_or(0),
            horizon_drops: u64_at(value, 88).unwrap_or(0),
            horizon_caps: u64_at(value, 96).unwrap_or(0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_limit_is_left_out() {
        let given = Fq {
            max_rate: Some(Limited(ShortByteRate(80_000_000))),
            buckets: Some(PowerOfTwo(2048)),
            priority_map: Some(ThreeBands([1; 16])),
            weights: Some(Words(vec![1, 2, 3])),
            ..Fq::default()
        };
        assert_eq!(Fq::read(&given.bytes()), given);
        let unlimited = Fq { max_rate: Some(Limited(ShortByteRate(u64::MAX))), ..Fq::default() };
        assert_eq!(Fq::read(&unlimited.bytes()), Fq::default());
    }
}
