//! A class of hierarchical token buckets (tc-htb(8)).

use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use crate::{
    netlink::attributes::{Attributes, Malformed, u32_at, u64_at},
    netlink::message::AttributeWriter,
    qdisc::rate_spec::{self, Framing},
};

/// Rates are in bit/s, and sizes in bytes.
#[skip_serializing_none]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HtbClass {
    /// The rate that the class always gets.
    pub rate: u64,
    /// The rate that it gets at most, with what other classes leave. Default: the rate.
    pub ceil: Option<u64>,
    /// How many bytes may leave at once after a pause. Default: a packet.
    pub burst: Option<u32>,
    /// The same for `ceil`.
    pub ceil_burst: Option<u32>,
    /// Classes with a lower number get what is left first.
    pub priority: Option<u32>,
    /// How many bytes the class sends in its turn. Default: the kernel's.
    pub quantum: Option<u32>,
    /// How many bytes each packet is longer on the line.
    pub overhead: Option<u16>,
    /// The size of the smallest packet on the line.
    pub mpu: Option<u16>,
}

/// `TCA_HTB_*` of linux/pkt_sched.h.
const PARMS: u16 = 1;
const RATE64: u16 = 6;
const CEIL64: u16 = 7;

/// What tc(8) takes for a packet with its headers.
const PACKET: u32 = 1600;

/// The places in `struct tc_htb_opt`, after two of `struct tc_ratespec`.
const BUFFER: usize = 24;
const CEIL_BUFFER: usize = 28;
const QUANTUM: usize = 32;
const PRIORITY: usize = 40;

impl HtbClass {
    pub(super) fn options(&self) -> Vec<u8> {
        let (rate, ceil) = (self.rate / 8, self.ceil.unwrap_or(self.rate) / 8);
        let framing = Framing { overhead: self.overhead.unwrap_or(0), least: self.mpu.unwrap_or(0) };
        let (rate_spec, is_fast) = rate_spec::framed_spec(rate, framing);
        let (ceil_spec, has_fast_ceil) = rate_spec::framed_spec(ceil, framing);
        let mut parameters = [rate_spec, ceil_spec].concat();
        let buffer = rate_spec::ticks_of(self.burst.unwrap_or(PACKET), rate);
        let ceil_buffer = rate_spec::ticks_of(self.ceil_burst.unwrap_or(PACKET), ceil);
        for number in [buffer, ceil_buffer, self.quantum.unwrap_or(0), 0, self.priority.unwrap_or(0)] {
            parameters.extend(number.to_ne_bytes());
        }
        let mut options = AttributeWriter::default();
        for (kind, rate, is_fast) in [(RATE64, rate, is_fast), (CEIL64, ceil, has_fast_ceil)] {
            if is_fast {
                options.put_u64(kind, rate);
            }
        }
        options.put(PARMS, &parameters);
        options.into_bytes()
    }

    pub(super) fn read(options: &[u8]) -> Result<Self, Malformed> {
        let (mut parameters, mut rate, mut ceil) = (None, None, None);
        for attribute in Attributes::within(options) {
            match attribute? {
                (PARMS, value) => parameters = Some(value),
                (RATE64, value) => rate = Some(u64_at(value, 0)?),
                (CEIL64, value) => ceil = Some(u64_at(value, 0)?),
                _ => {}
            }
        }
        let parameters = parameters.ok_or(Malformed)?;
        let framing = rate_spec::framing(parameters)?;
        let rate = rate.unwrap_or(u32_at(parameters, 8)?.into());
        let ceil = ceil.unwrap_or(u32_at(parameters, 20)?.into());
        Ok(Self {
            rate: rate.saturating_mul(8),
            ceil: Some(ceil.saturating_mul(8)),
            burst: Some(rate_spec::bytes_in(u32_at(parameters, BUFFER)?, rate)),
            ceil_burst: Some(rate_spec::bytes_in(u32_at(parameters, CEIL_BUFFER)?, ceil)),
            priority: Some(u32_at(parameters, PRIORITY)?),
            quantum: Some(u32_at(parameters, QUANTUM)?),
            overhead: Some(framing.overhead).filter(|overhead| *overhead != 0),
            mpu: Some(framing.least).filter(|least| *least != 0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_it_was_written() {
        let class = HtbClass {
            rate: 1_000_000,
            ceil: Some(40_000_000_000),
            burst: Some(15_000),
            ceil_burst: Some(200_000),
            priority: Some(2),
            quantum: Some(3000),
            overhead: Some(24),
            mpu: Some(84),
        };
        assert_eq!(HtbClass::read(&class.options()).unwrap(), class);
    }
}
