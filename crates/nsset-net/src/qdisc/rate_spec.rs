//! Rates of classes and of policing: `struct tc_ratespec` of linux/pkt_sched.h, and the time that bytes take at a rate.

use super::ticks;
use crate::netlink::attributes::{Malformed, u8_at, u16_at};
use std::time::Duration;

/// The logarithm of the size of a cell in a rate table, `TC_LINKLAYER_ETHERNET`, and an alignment of -1: with these the kernel
/// computes classes without a rate table.
const HEAD: [u8; 8] = [CELL_LOG, 1, 0, 0, 0xFF, 0xFF, 0, 0];
const CELL_LOG: u8 = 3;

/// How many cells a rate table has.
const CELLS: u32 = 256;

/// Returns `struct tc_ratespec` for a rate in bytes per second, and whether the rate also needs 64 bits of its own.
pub(crate) fn spec(rate: u64) -> ([u8; 12], bool) {
    let short = u32::try_from(rate).unwrap_or(u32::MAX);
    let mut bytes = [0; 12];
    let all = HEAD.into_iter().chain(short.to_ne_bytes());
    bytes.iter_mut().zip(all).for_each(|(place, byte)| *place = byte);
    (bytes, short == u32::MAX)
}

/// How much longer packets are on the line than here. The kernel has it in `struct tc_ratespec`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Framing {
    /// How many bytes each packet is longer.
    pub overhead: u16,
    /// The size of the smallest packet, in bytes.
    pub least: u16,
}

/// The places in `struct tc_ratespec`.
const LINK_LAYER: usize = 1;
const OVERHEAD: usize = 2;
const LEAST: usize = 6;

/// `TC_LINKLAYER_ETHERNET`. With another one the kernel counts in cells.
const ETHERNET: u8 = 1;

/// Returns [`spec`] with a framing.
pub(crate) fn framed_spec(rate: u64, framing: Framing) -> ([u8; 12], bool) {
    let (mut bytes, is_fast) = spec(rate);
    for (at, number) in [(OVERHEAD, framing.overhead), (LEAST, framing.least)] {
        if let Some(place) = bytes.get_mut(at..at + 2) {
            place.copy_from_slice(&number.to_ne_bytes());
        }
    }
    (bytes, is_fast)
}

/// Reads the framing of `struct tc_ratespec`. Fails if it counts in cells.
pub(crate) fn framing(spec: &[u8]) -> Result<Framing, Malformed> {
    if u8_at(spec, LINK_LAYER)? > ETHERNET {
        return Err(Malformed);
    }
    Ok(Framing { overhead: u16_at(spec, OVERHEAD)?, least: u16_at(spec, LEAST)? })
}

/// Returns the ticks in which this many bytes are sent.
pub(crate) fn ticks_of(bytes: u32, rate: u64) -> u32 {
    let nanoseconds = u128::from(bytes) * 1_000_000_000 / u128::from(rate.max(1));
    let time = Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX));
    ticks::from_duration(time).unwrap_or(u32::MAX)
}

/// Returns how many bytes are sent in this many ticks, rounded to the nearest number.
pub(crate) fn bytes_in(ticks: u32, rate: u64) -> u32 {
    let bytes = (ticks::to_duration(ticks).as_nanos() * u128::from(rate) + 500_000_000) / 1_000_000_000;
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// Returns the table of the ticks that packets of each size take, which policing still needs.
pub(crate) fn table(rate: u64) -> Vec<u8> {
    let sizes = (1..=CELLS).map(|cell| cell << CELL_LOG);
    sizes.flat_map(|size| ticks_of(size, rate).to_ne_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_from_ticks() {
        for (bytes, rate) in [(1600, 125_000), (15_000, 1_250_000), (1 << 20, 12_500_000)] {
            assert_eq!(bytes_in(ticks_of(bytes, rate), rate), bytes);
        }
        assert_eq!(table(125_000).len(), 1024);
    }
}
