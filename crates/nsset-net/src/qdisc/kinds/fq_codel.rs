//! Fair queueing with controlled delay: short queues, and a fair share for each flow (tc-fq_codel(8)).

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_with::{serde_as, skip_serializing_none};

use crate::{
    milliseconds::Milliseconds,
    netlink::attributes::{Attributes, Malformed, u32_at},
    qdisc::options::Options,
};

/// Fields that are left out have the kernel's default values.
#[serde_as]
#[skip_serializing_none]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct FqCodel {
    /// How many packets may wait.
    pub limit: Option<u32>,
    /// The target delay: how long packets may wait permanently.
    #[serde_as(as = "Option<Milliseconds>")]
    pub target: Option<Duration>,
    /// How long packets may wait longer than the target before the kernel drops some.
    #[serde_as(as = "Option<Milliseconds>")]
    pub interval: Option<Duration>,
    /// The number of queues, which cannot be changed later.
    pub flows: Option<u32>,
    /// How many bytes a queue sends in one turn.
    pub quantum: Option<u32>,
    /// Whether packets that support it are marked instead of dropped.
    pub ecn: Option<bool>,
    /// How many bytes may wait.
    pub memory_limit: Option<u32>,
    /// How long packets may wait before the kernel marks them.
    #[serde_as(as = "Option<Milliseconds>")]
    pub ce_threshold: Option<Duration>,
    /// How many packets are dropped at once if the queues are full.
    pub drop_batch: Option<u32>,
}

/// `TCA_FQ_CODEL_*` of linux/pkt_sched.h.
const TARGET: u16 = 1;
const LIMIT: u16 = 2;
const INTERVAL: u16 = 3;
const ECN: u16 = 4;
const FLOWS: u16 = 5;
const QUANTUM: u16 = 6;
const CE_THRESHOLD: u16 = 7;
const DROP_BATCH: u16 = 8;
const MEMORY_LIMIT: u16 = 9;

impl FqCodel {
    pub(crate) fn options(self) -> Vec<u8> {
        let microseconds = |time: Duration| u32::try_from(time.as_micros()).unwrap_or(u32::MAX);
        let mut options = Options::default();
        let given = [
            (LIMIT, self.limit),
            (FLOWS, self.flows),
            (QUANTUM, self.quantum),
            (INTERVAL, self.interval.map(microseconds)),
            (TARGET, self.target.map(microseconds)),
            (ECN, self.ecn.map(u32::from)),
            (MEMORY_LIMIT, self.memory_limit),
            (CE_THRESHOLD, self.ce_threshold.map(microseconds)),
            (DROP_BATCH, self.drop_batch),
        ];
        for (kind, value) in given {
            if let Some(value) = value {
                options.put(kind, &[value]);
            }
        }
        options.into_bytes()
    }

    pub(crate) fn read(options: &[u8]) -> Result<Self, Malformed> {
        let time = |value: &[u8]| u32_at(value, 0).map(|microseconds| Duration::from_micros(microseconds.into()));
        let mut codel = Self::default();
        for attribute in Attributes::within(options) {
            let (kind, value) = attribute?;
            match kind {
                LIMIT => codel.limit = Some(u32_at(value, 0)?),
                FLOWS => codel.flows = Some(u32_at(value, 0)?),
                QUANTUM => codel.quantum = Some(u32_at(value, 0)?),
                INTERVAL => codel.interval = Some(time(value)?),
                TARGET => codel.target = Some(time(value)?),
                ECN => codel.ecn = Some(u32_at(value, 0)? != 0),
                MEMORY_LIMIT => codel.memory_limit = Some(u32_at(value, 0)?),
                CE_THRESHOLD => codel.ce_threshold = Some(time(value)?),
                DROP_BATCH => codel.drop_batch = Some(u32_at(value, 0)?),
                _ => {}
            }
        }
        Ok(codel)
    }
}

/// The counters of fair queueing with controlled delay: `struct tc_fq_codel_qd_stats` of linux/pkt_sched.h, after the number of
/// the struct.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FqCodelStatistics {
    pub max_packet: u32,
    /// How many packets were dropped because the queues were full.
    pub limit_drops: u32,
    pub ecn_marks: u32,
    /// How often a packet began a new flow.
    pub flows_created: u32,
    pub new_flows: u32,
    pub old_flows: u32,
    pub ce_marks: u32,
    pub memory_used: u32,
    /// How many packets were dropped because of the memory limit.
    pub memory_drops: u32,
}

impl FqCodelStatistics {
    pub(crate) fn read(value: &[u8]) -> Result<Self, Malformed> {
        Ok(Self {
            max_packet: u32_at(value, 4)?,
            limit_drops: u32_at(value, 8)?,
            ecn_marks: u32_at(value, 12)?,
            flows_created: u32_at(value, 16)?,
            new_flows: u32_at(value, 20)?,
            old_flows: u32_at(value, 24)?,
            ce_marks: u32_at(value, 28).unwrap_or(0),
            memory_used: u32_at(value, 32).unwrap_or(0),
            memory_drops: u32_at(value, 36).unwrap_or(0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes that tc of iproute2 6.1 sends (strace) for `limit 1000 target 5ms interval 100ms flows 512 quantum 1514 ecn
    /// memory_limit 4mb`.
    const TC: &[u8] =
        b"\x08\x00\x02\x00\xe8\x03\x00\x00\x08\x00\x05\x00\x00\x02\x00\x00\x08\x00\x06\x00\xea\x05\x00\x00\
        \x08\x00\x03\x00\xa0\x86\x01\x00\x08\x00\x01\x00\x88\x13\x00\x00\x08\x00\x04\x00\x01\x00\x00\x00\
        \x08\x00\x09\x00\x00\x00\x40\x00";

    #[test]
    fn it_is_written_as_tc_writes_it_and_read_again() {
        let codel = FqCodel {
            limit: Some(1000),
            target: Some(Duration::from_millis(5)),
            interval: Some(Duration::from_millis(100)),
            flows: Some(512),
            quantum: Some(1514),
            ecn: Some(true),
            memory_limit: Some(4 << 20),
            ce_threshold: None,
            drop_batch: None,
        };
        assert_eq!(codel.options(), TC);
        assert_eq!(FqCodel::read(TC).unwrap(), codel);
    }
}
