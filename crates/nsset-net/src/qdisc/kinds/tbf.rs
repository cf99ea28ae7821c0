//! A token bucket filter, which limits the rate of packets (tc-tbf(8)).

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_with::{serde_as, skip_serializing_none};

use crate::{
    error::{Error, Result},
    milliseconds::Milliseconds,
    netlink::attributes::{Attributes, Malformed, u32_at, u64_at},
    qdisc::{options::Options, rate_spec, ticks},
};

/// A rate, with the allowed burst and queue.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tbf {
    /// In bit/s.
    pub rate: u64,
    /// How many bytes may leave at once after a pause. A larger packet is never sent. Default: the bytes that the rate allows in
    /// 10 ms, but at least two of the link's largest packets.
    pub burst: Option<u32>,
    /// How many bytes may wait. Default: `Latency(50 ms)`.
    #[serde(flatten)]
    pub limit: Option<TbfLimit>,
    /// In bit/s: how fast a burst may leave. Default: as fast as the link sends.
    #[serde(rename = "peakRate")]
    pub peak_rate: Option<u64>,
    /// How many bytes may leave at once at the peak rate. Default: the link's largest packet.
    #[serde(rename = "peakBurst")]
    pub peak_burst: Option<u32>,
}

/// How much may wait in a token bucket.
#[serde_as]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TbfLimit {
    #[serde(rename = "limit")]
    Bytes(u32),
    /// As many bytes as are sent in this time.
    #[serde(rename = "latency")]
    Latency(#[serde_as(as = "Milliseconds")] Duration),
}

/// `TCA_TBF_*` of linux/pkt_sched.h.
const PARMS: u16 = 1;
const RATE64: u16 = 4;
const PEAK_RATE64: u16 = 5;
const BURST: u16 = 6;
const PEAK_BURST: u16 = 7;

/// `TC_LINKLAYER_ETHERNET` with a cell of 8 bytes and an alignment of -1, which tc uses for packets up to 2047 bytes. The kernel
/// then needs no rate table.
const ETHERNET: [u8; 8] = [3, 1, 0, 0, 0xFF, 0xFF, 0, 0];

/// The default limit: how long a packet may wait.
const PATIENCE: Duration = Duration::from_millis(50);

/// The Ethernet header with two VLAN tags.
const LINK_HEADER: u32 = 22;

/// Two Ethernet packets with their headers.
const LEAST_BURST: u64 = 2 * 1514;

impl Tbf {
    pub(crate) fn check(&self) -> Result<()> {
        match self.limit {
            Some(TbfLimit::Latency(Duration::ZERO)) => Err(Error::OutOfRange("'latency' must be more than 0".into())),
            _ if self.limit().is_none() => {
                Err(Error::OutOfRange("'latency' is too long: more than 4 GiB would wait".into()))
            }
            _ => Ok(()),
        }
    }

    /// Returns the rate in bytes per second.
    const fn byte_rate(&self) -> u64 {
        self.rate / 8
    }

    /// Sets a default burst that is large enough for packets of a link with this MTU. The kernel splits larger (GSO) packets:
    /// tbf_segment() of net/sched/sch_tbf.c.
    pub(crate) fn for_mtu(&self, mtu: u32) -> Self {
        let packet = mtu.saturating_add(LINK_HEADER);
        let burst = self.burst.unwrap_or_else(|| self.burst().max(packet.saturating_mul(2)));
        let peak_burst = self.peak_rate.map(|_| self.peak_burst.unwrap_or(packet));
        Self { burst: Some(burst), peak_burst, ..self.clone() }
    }

    fn burst(&self) -> u32 {
        let burst = (self.byte_rate() / 100).max(LEAST_BURST);
        self.burst.unwrap_or_else(|| u32::try_from(burst).unwrap_or(u32::MAX))
    }

    /// Returns the limit in bytes, or `None` if it is too large for the kernel.
    fn limit(&self) -> Option<u32> {
        match self.limit.unwrap_or(TbfLimit::Latency(PATIENCE)) {
            TbfLimit::Bytes(bytes) => Some(bytes),
            TbfLimit::Latency(latency) => {
                let bytes = u128::from(self.byte_rate()).checked_mul(latency.as_nanos())? / 1_000_000_000;
                u32::try_from(bytes.checked_add(self.burst().into())?).ok()
            }
        }
    }

    /// Whether a default value depends on the link.
    pub(crate) const fn needs_mtu(&self) -> bool {
        self.burst.is_none() || (self.peak_rate.is_some() && self.peak_burst.is_none())
    }

    /// `struct tc_tbf_qopt` of linux/pkt_sched.h: two of `struct tc_ratespec`, the limit, the time that a burst takes, and the
    /// same for the peak rate.
    pub(crate) fn options(&self) -> Vec<u8> {
        let rate = self.byte_rate();
        let short = u32::try_from(rate).unwrap_or(u32::MAX);
        let burst = self.burst();
        // Whole microseconds, like tc. The kernel uses the burst itself.
        let microseconds = u64::from(burst) * 1_000_000 / u64::from(short.max(1));
        let buffer = ticks::from_duration(Duration::from_micros(microseconds)).unwrap_or(u32::MAX);
        #[expect(clippy::indexing_slicing, reason = "there are eight bytes")]
        let [layer, align] = [0, 4].map(|at| u32::from_ne_bytes([0, 1, 2, 3].map(|byte| ETHERNET[at + byte])));
        let limit = self.limit().unwrap_or(u32::MAX);
        let peak = self.peak_rate.map_or(0, |rate| rate / 8);
        let short_peak = u32::try_from(peak).unwrap_or(u32::MAX);
        let [peak_layer, peak_align] = if peak == 0 { [0, 0] } else { [layer, align] };
        let mut options = Options::default();
        options
            .put(PARMS, &[layer, align, short, peak_layer, peak_align, short_peak, limit, buffer, self.peak_ticks()]);
        options.put(BURST, &[burst]);
        if let (Some(bytes), 1..) = (self.peak_burst, peak) {
            options.put(PEAK_BURST, &[bytes]);
        }
        if short_peak == u32::MAX {
            options.put_u64(PEAK_RATE64, peak);
        }
        if short == u32::MAX {
            options.put_u64(RATE64, rate);
        }
        options.into_bytes()
    }

    /// The time that a burst takes at the peak rate.
    fn peak_ticks(&self) -> u32 {
        self.peak_rate.zip(self.peak_burst).map_or(0, |(rate, bytes)| rate_spec::ticks_of(bytes, rate / 8))
    }

    pub(crate) fn read(options: &[u8]) -> std::result::Result<Self, Malformed> {
        let mut parameters = None;
        let (mut long, mut long_peak) = (None, None);
        for attribute in Attributes::within(options) {
            match attribute? {
                (PARMS, value) => parameters = Some(value),
                (RATE64, value) => long = Some(u64_at(value, 0)?),
                (PEAK_RATE64, value) => long_peak = Some(u64_at(value, 0)?),
                _ => {}
            }
        }
        let parameters = parameters.ok_or(Malformed)?;
        let number = |at| u32_at(parameters, at);
        let rate = long.unwrap_or(number(8)?.into());
        let burst = ticks::to_duration(number(28)?).as_nanos() * u128::from(rate) / 1_000_000_000;
        let peak = Some(long_peak.unwrap_or(number(20)?.into())).filter(|rate| *rate != 0);
        let peak_ticks = number(32)?;
        Ok(Self {
            rate: rate.saturating_mul(8),
            burst: Some(u32::try_from(burst).unwrap_or(u32::MAX)),
            limit: Some(TbfLimit::Bytes(number(24)?)),
            peak_rate: peak.map(|rate| rate.saturating_mul(8)),
            peak_burst: peak.map(|rate| rate_spec::bytes_in(peak_ticks, rate)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes that tc of iproute2 6.1 sends (strace), without the rate table at the end, for `rate 10mbit burst 16kb latency
    /// 50ms`, `rate 40gbit burst 1mb limit 2mb` and `rate 256kbit burst 2kb latency 400ms`.
    const MIDDLING: &[u8] =
        b"\x28\x00\x01\x00\x03\x01\x00\x00\xff\xff\x00\x00\xd0\x12\x13\x00\x00\x00\x00\x00\x00\x00\x00\x00\
        \x00\x00\x00\x00\x24\x34\x01\x00\xfc\x1f\x03\x00\x00\x00\x00\x00\x08\x00\x06\x00\x00\x40\x00\x00";
    const FAST: &[u8] =
        b"\x28\x00\x01\x00\x03\x01\x00\x00\xff\xff\x00\x00\xff\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00\
        \x00\x00\x00\x00\x00\x00\x20\x00\xe4\x0e\x00\x00\x00\x00\x00\x00\x08\x00\x06\x00\x00\x00\x10\x00\
        \x0c\x00\x04\x00\x00\xf2\x05\x2a\x01\x00\x00\x00";
    const SLOW: &[u8] =
        b"\x28\x00\x01\x00\x03\x01\x00\x00\xff\xff\x00\x00\x00\x7d\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\
        \x00\x00\x00\x00\x00\x3a\x00\x00\x40\x42\x0f\x00\x00\x00\x00\x00\x08\x00\x06\x00\x00\x08\x00\x00";

    fn at_rate(rate: u64) -> Tbf {
        Tbf { rate, burst: None, limit: None, peak_rate: None, peak_burst: None }
    }

    fn tbf(rate: u64, burst: u32, limit: TbfLimit) -> Tbf {
        Tbf { burst: Some(burst), limit: Some(limit), ..at_rate(rate) }
    }

    #[test]
    fn it_is_written_as_tc_writes_it() {
        let middling = tbf(10_000_000, 16 << 10, TbfLimit::Latency(Duration::from_millis(50)));
        assert_eq!(middling.options(), MIDDLING);
        assert_eq!(tbf(40_000_000_000, 1 << 20, TbfLimit::Bytes(2 << 20)).options(), FAST);
        let slow = tbf(256_000, 2 << 10, TbfLimit::Latency(Duration::from_millis(400)));
        assert_eq!(slow.options(), SLOW);
    }

    #[test]
    fn it_is_read_as_it_was_meant() {
        assert_eq!(Tbf::read(SLOW).unwrap(), tbf(256_000, 2048, TbfLimit::Bytes(14848)));
        assert_eq!(Tbf::read(FAST).unwrap().rate, 40_000_000_000);
    }

    #[test]
    fn a_peak_rate_is_read_as_it_is_written() {
        let quick =
            Tbf { peak_rate: Some(2_000_000), peak_burst: Some(1540), ..tbf(1_000_000, 5000, TbfLimit::Bytes(10_000)) };
        assert_eq!(Tbf::read(&quick.options()).unwrap(), quick);
        let fast = Tbf { peak_rate: Some(80_000_000_000), ..quick };
        assert_eq!(Tbf::read(&fast.options()).unwrap().peak_rate, fast.peak_rate);
    }

    #[test]
    fn default_values_suit_the_link() {
        let slow = at_rate(1_000_000);
        assert_eq!((slow.burst(), slow.limit()), (3028, Some(6250 + 3028)));
        let wide = at_rate(1_000_000).for_mtu(65_536);
        assert_eq!((wide.burst(), wide.limit()), (131_116, Some(6250 + 131_116)));
        assert_eq!(slow.for_mtu(1500).burst(), 3044);
        assert_eq!(slow.for_mtu(u32::MAX).burst(), u32::MAX);
        let fast = at_rate(1_000_000_000);
        assert_eq!((fast.burst(), fast.limit()), (1_250_000, Some(6_250_000 + 1_250_000)));
    }

    #[test]
    fn values_out_of_range_are_rejected() {
        assert!(tbf(8, 1, TbfLimit::Latency(Duration::ZERO)).check().is_err());
        assert!(tbf(u64::MAX, 1, TbfLimit::Latency(Duration::MAX)).check().is_err());
        assert!(tbf(8, 1, TbfLimit::Bytes(1)).check().is_ok());
    }
}
