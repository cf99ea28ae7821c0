//! Slots: packets leave in bursts, as on media whose access is divided in time.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_with::{serde_as, skip_serializing_none};

use crate::{
    milliseconds::Milliseconds,
    netlink::attributes::{Malformed, u32_at, u64_at},
};

/// The time between slots, and how much leaves in each.
#[serde_as]
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Slots {
    /// The shortest time.
    #[serde_as(as = "Option<Milliseconds>")]
    pub min_delay: Option<Duration>,
    /// The longest time. Default: the shortest.
    #[serde_as(as = "Option<Milliseconds>")]
    pub max_delay: Option<Duration>,
    /// With a distribution: the mean time.
    #[serde_as(as = "Option<Milliseconds>")]
    pub delay: Option<Duration>,
    /// With a distribution: how much times differ from the mean.
    #[serde_as(as = "Option<Milliseconds>")]
    pub jitter: Option<Duration>,
    /// The table of the distribution, which the kernel does not report.
    #[serde(skip_serializing)]
    pub distribution: Option<Vec<i16>>,
    /// How many packets leave in a slot. Default: any number.
    pub packets: Option<u32>,
    /// How many bytes leave in a slot. Default: any number.
    pub bytes: Option<u32>,
}

impl Slots {
    /// `struct tc_netem_slot` of linux/pkt_sched.h.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let nanoseconds = |time: Option<Duration>| time.unwrap_or_default().as_nanos() as u64;
        let mut bytes = Vec::new();
        for time in [self.min_delay, self.max_delay.or(self.min_delay)] {
            bytes.extend(nanoseconds(time).to_ne_bytes());
        }
        for most in [self.packets, self.bytes] {
            bytes.extend(most.unwrap_or(0).to_ne_bytes());
        }
        for time in [self.delay, self.jitter] {
            bytes.extend(nanoseconds(time).to_ne_bytes());
        }
        bytes
    }

    pub(super) fn read(value: &[u8]) -> Result<Self, Malformed> {
        let time = |at: usize| {
            u64_at(value, at).map(|nanoseconds| Some(Duration::from_nanos(nanoseconds)).filter(|_| nanoseconds != 0))
        };
        let most = |at: usize| u32_at(value, at).map(|most| Some(most).filter(|_| most != 0));
        Ok(Self {
            min_delay: time(0)?,
            max_delay: time(8)?,
            packets: most(16)?,
            bytes: most(20)?,
            delay: time(24)?,
            jitter: time(32)?,
            distribution: None,
        })
    }

    /// Returns the times, each with its name.
    pub(super) fn times(&self) -> [(&'static str, Option<Duration>); 4] {
        [
            ("slots.minDelay", self.min_delay),
            ("slots.maxDelay", self.max_delay),
            ("slots.delay", self.delay),
            ("slots.jitter", self.jitter),
        ]
    }
}
