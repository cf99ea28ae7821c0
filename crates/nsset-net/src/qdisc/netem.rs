//! Network emulation: delays, loses, duplicates, corrupts or reorders packets (tc-netem(8)).

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_with::{serde_as, skip_serializing_none};

use super::{options::Options, ticks};
use crate::{
    error::{Error, Result},
    milliseconds::Milliseconds,
    netlink::attributes::{Attributes, Malformed, u32_at, u64_at},
};

/// How packets are treated. Percentages are 0 to 100.
#[serde_as]
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Netem {
    /// The delay of a packet, up to 292 years.
    #[serde_as(as = "Milliseconds")]
    pub latency: Duration,
    /// How much the delay of a packet may differ from that, in either direction.
    #[serde_as(as = "Milliseconds")]
    pub jitter: Duration,
    /// The percentage of packets that are lost.
    pub loss: f64,
    /// The percentage of packets that are sent twice.
    pub duplicate: f64,
    /// The percentage of packets with one wrong bit.
    pub corrupt: f64,
    /// The percentage of packets that leave immediately, before delayed ones. Needs a latency.
    pub reorder: f64,
    /// In bit/s.
    pub rate: Option<u64>,
    /// How many packets may wait.
    pub limit: u32,
}

impl Default for Netem {
    fn default() -> Self {
        Self {
            latency: Duration::ZERO,
            jitter: Duration::ZERO,
            loss: 0.0,
            duplicate: 0.0,
            corrupt: 0.0,
            reorder: 0.0,
            rate: None,
            limit: 1000,
        }
    }
}

/// `TCA_NETEM_*` of linux/pkt_sched.h.
const REORDER: u16 = 3;
const CORRUPT: u16 = 4;
const RATE: u16 = 6;
const RATE64: u16 = 8;
const LATENCY64: u16 = 10;
const JITTER64: u16 = 11;

impl Netem {
    pub(crate) fn check(&self) -> Result<()> {
        for (name, time) in [("latency", self.latency), ("jitter", self.jitter)] {
            if i64::try_from(time.as_nanos()).is_err() {
                return Err(Error::OutOfRange(format!("'{name}' must be at most 292 years")));
            }
        }
        if self.reorder > 0.0 && self.latency.is_zero() {
            return Err(Error::InvalidArgument(
                "'reorder' needs a 'latency': packets without a delay cannot be reordered".into(),
            ));
        }
        Ok(())
    }

    /// `struct tc_netem_qopt` of linux/pkt_sched.h, followed by attributes without a nest.
    pub(crate) fn options(&self) -> Vec<u8> {
        let latency = ticks::from_duration(self.latency);
        let jitter = ticks::from_duration(self.jitter);
        let gap = u32::from(self.reorder > 0.0);
        let mut options = Options::headed(&[
            latency.unwrap_or(u32::MAX),
            self.limit,
            share(self.loss),
            gap,
            share(self.duplicate),
            jitter.unwrap_or(u32::MAX),
        ]);
        // `struct tc_netem_reorder` and `tc_netem_corrupt`: the share, and its correlation with the previous packet.
        for (kind, percentage) in [(REORDER, self.reorder), (CORRUPT, self.corrupt)] {
            if percentage > 0.0 {
                options.put(kind, &[share(percentage), 0]);
            }
        }
        if let Some(rate) = self.rate {
            put_rate(&mut options, rate / 8);
        }
        for (kind, time, ticks) in [(LATENCY64, self.latency, latency), (JITTER64, self.jitter, jitter)] {
            if ticks.is_none() {
                options.put_u64(kind, time.as_nanos() as u64);
            }
        }
        options.into_bytes()
    }

    pub(crate) fn read(options: &[u8]) -> std::result::Result<Self, Malformed> {
        let mut netem = Self {
            latency: ticks::to_duration(u32_at(options, 0)?),
            limit: u32_at(options, 4)?,
            loss: percentage(u32_at(options, 8)?),
            duplicate: percentage(u32_at(options, 16)?),
            jitter: ticks::to_duration(u32_at(options, 20)?),
            ..Self::default()
        };
        for attribute in Attributes::behind(24, options)? {
            let (kind, value) = attribute?;
            match kind {
                REORDER => netem.reorder = percentage(u32_at(value, 0)?),
                CORRUPT => netem.corrupt = percentage(u32_at(value, 0)?),
                RATE if netem.rate.is_none() => {
                    netem.rate = Some(8 * u64::from(u32_at(value, 0)?)).filter(|rate| *rate > 0);
                }
                RATE64 => netem.rate = Some(u64_at(value, 0)?.saturating_mul(8)),
                LATENCY64 => netem.latency = Duration::from_nanos(u64_at(value, 0)?),
                JITTER64 => netem.jitter = Duration::from_nanos(u64_at(value, 0)?),
                _ => {}
            }
        }
        Ok(netem)
    }
}

/// `struct tc_netem_rate`: bytes per second, and the overheads of packets and cells.
fn put_rate(options: &mut Options, rate: u64) {
    let short = u32::try_from(rate).unwrap_or_else(|_| {
        options.put_u64(RATE64, rate);
        u32::MAX
    });
    options.put(RATE, &[short, 0, 0, 0]);
}

/// Converts a percentage to a share of the range of a u32.
fn share(percentage: f64) -> u32 {
    (percentage / 100.0 * f64::from(u32::MAX)).round_ties_even() as u32
}

fn percentage(share: u32) -> f64 {
    // Rounds to the digits that were given: a share is exact to nine.
    (f64::from(share) / f64::from(u32::MAX) * 1e9).round() / 1e7
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes that tc of iproute2 6.1 sends (strace), for `delay 100ms 10ms loss 1% duplicate 2% corrupt 0.5% reorder 25%
    /// rate 10mbit limit 500`, `loss 100% rate 40gbit` and `delay 1.5ms`.
    const ALL: &[u8] =
        b"\x84\xd7\x17\x00\xf4\x01\x00\x00\x29\x5c\x8f\x02\x01\x00\x00\x00\x52\xb8\x1e\x05\x5a\x62\x02\x00\
        \x0c\x00\x03\x00\x00\x00\x00\x40\x00\x00\x00\x00\x0c\x00\x04\x00\x14\xae\x47\x01\x00\x00\x00\x00\
        \x14\x00\x06\x00\xd0\x12\x13\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00";
    const FAST: &[u8] =
        b"\x00\x00\x00\x00\xe8\x03\x00\x00\xff\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\
        \x0c\x00\x08\x00\x00\xf2\x05\x2a\x01\x00\x00\x00\x14\x00\x06\x00\xff\xff\xff\xff\x00\x00\x00\x00\
        \x00\x00\x00\x00\x00\x00\x00\x00";
    const LATE: &[u8] =
        b"\x8d\x5b\x00\x00\xe8\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00";

    fn all() -> Netem {
        Netem {
            latency: Duration::from_millis(100),
            jitter: Duration::from_millis(10),
            loss: 1.0,
            duplicate: 2.0,
            corrupt: 0.5,
            reorder: 25.0,
            rate: Some(10_000_000),
            limit: 500,
        }
    }

    #[test]
    fn it_is_written_as_tc_writes_it() {
        assert_eq!(all().options(), ALL);
        let fast = Netem { loss: 100.0, rate: Some(40_000_000_000), ..Netem::default() };
        assert_eq!(fast.options(), FAST);
        let late = Netem { latency: Duration::from_micros(1500), ..Netem::default() };
        assert_eq!(late.options(), LATE);
    }

    #[test]
    fn it_is_read_as_it_was_meant() {
        // 100 ms are 1562500 ticks; tc counts them a little shorter.
        let read = Netem::read(&all().options()).unwrap();
        assert_eq!(read, all());
        let fast = Netem::read(FAST).unwrap();
        assert_eq!((fast.rate, fast.loss), (Some(40_000_000_000), 100.0));
        let late = Netem { latency: Duration::from_secs(3600), ..Netem::default() };
        assert_eq!(Netem::read(&late.options()).unwrap(), late);
    }

    #[test]
    fn values_out_of_range_are_rejected() {
        assert!(Netem { reorder: 1.0, ..Netem::default() }.check().is_err());
        assert!(Netem { latency: Duration::MAX, ..Netem::default() }.check().is_err());
        assert!(all().check().is_ok());
    }
}
