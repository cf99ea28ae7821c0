//! The kernel's unit of time for queueing: 64 nanoseconds (`PSCHED_SHIFT` of net/pkt_sched.h, reported by /proc/net/psched).

use std::time::Duration;

const NANOSECONDS: u128 = 64;

/// Converts a duration to ticks. `None` for more than 274 seconds, which does not fit.
pub(crate) fn from_duration(time: Duration) -> Option<u32> {
    u32::try_from(time.as_nanos() / NANOSECONDS).ok()
}

pub(crate) fn to_duration(ticks: u32) -> Duration {
    Duration::from_nanos(u64::from(ticks) * NANOSECONDS as u64)
}
