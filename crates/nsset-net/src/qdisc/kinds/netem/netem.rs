//! The options of network emulation.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_with::{DisplayFromStr, serde_as, skip_serializing_none};

use super::{loss_model::LossModel, share, slots::Slots};
use crate::{
    error::{Error, Result},
    milliseconds::Milliseconds,
    netlink::attributes::{Attributes, Malformed, u32_at, u64_at},
    qdisc::{options::Options, ticks},
};

/// How packets are treated. Percentages are 0 to 100. A correlation is that with the previous packet.
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
    pub latency_correlation: Option<f64>,
    /// The table of the distribution of delays, which the kernel does not report. Default: all are as likely.
    #[serde(skip_serializing)]
    pub distribution: Option<Vec<i16>>,
    /// The percentage of packets that are lost.
    pub loss: f64,
    pub loss_correlation: Option<f64>,
    /// In place of `loss`.
    pub loss_model: Option<LossModel>,
    /// Whether packets that support it are marked instead of lost.
    pub ecn: Option<bool>,
    /// The percentage of packets that are sent twice.
    pub duplicate: f64,
    pub duplicate_correlation: Option<f64>,
    /// The percentage of packets with one wrong bit.
    pub corrupt: f64,
    pub corrupt_correlation: Option<f64>,
    /// The percentage of packets that leave immediately, before delayed ones. Needs a latency.
    pub reorder: f64,
    pub reorder_correlation: Option<f64>,
    /// Only each packet of this number leaves immediately. Default: 1.
    pub gap: Option<u32>,
    /// In bit/s.
    pub rate: Option<u64>,
    /// How many bytes the link adds to each packet.
    pub packet_overhead: Option<i32>,
    /// The size of the cells that the link sends packets in, in bytes.
    pub cell_size: Option<u32>,
    /// How many bytes the link adds to each cell.
    pub cell_overhead: Option<i32>,
    pub slots: Option<Slots>,
    /// The seed of the random numbers. Default: the kernel chooses one. In plain data: a text of decimal digits.
    #[serde_as(as = "Option<DisplayFromStr>")]
    pub seed: Option<u64>,
    /// How many packets may wait.
    pub limit: u32,
}

impl Default for Netem {
    fn default() -> Self {
        Self {
            latency: Duration::ZERO,
            jitter: Duration::ZERO,
            latency_correlation: None,
            distribution: None,
            loss: 0.0,
            loss_correlation: None,
            loss_model: None,
            ecn: None,
            duplicate: 0.0,
            duplicate_correlation: None,
            corrupt: 0.0,
            corrupt_correlation: None,
            reorder: 0.0,
            reorder_correlation: None,
            gap: None,
            rate: None,
            packet_overhead: None,
            cell_size: None,
            cell_overhead: None,
            slots: None,
            seed: None,
            limit: 1000,
        }
    }
}

/// `TCA_NETEM_*` of linux/pkt_sched.h.
const CORRELATIONS: u16 = 1;
const DISTRIBUTION: u16 = 2;
const REORDER: u16 = 3;
const CORRUPT: u16 = 4;
const LOSS: u16 = 5;
const RATE: u16 = 6;
const ECN: u16 = 7;
const RATE64: u16 = 8;
const LATENCY64: u16 = 10;
const JITTER64: u16 = 11;
const SLOT: u16 = 12;
const SLOT_DISTRIBUTION: u16 = 13;
const SEED: u16 = 14;

impl Netem {
    pub(crate) fn check(&self) -> Result<()> {
        let times = [("latency", Some(self.latency)), ("jitter", Some(self.jitter))];
        let of_slots = self.slots.iter().flat_map(Slots::times);
        for (name, time) in times.into_iter().chain(of_slots) {
            if time.is_some_and(|time| i64::try_from(time.as_nanos()).is_err()) {
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
        let gap = self.gap.unwrap_or_else(|| (self.reorder > 0.0).into());
        let mut options = Options::headed(&[
            latency.unwrap_or(u32::MAX),
            self.limit,
            share::of(self.loss),
            gap,
            share::of(self.duplicate),
            jitter.unwrap_or(u32::MAX),
        ]);
        self.put_probabilities(&mut options);
        if let Some(rate) = self.rate {
            self.put_rate(&mut options, rate / 8);
        }
        for (kind, time, ticks) in [(LATENCY64, self.latency, latency), (JITTER64, self.jitter, jitter)] {
            if ticks.is_none() {
                options.put_u64(kind, time.as_nanos() as u64);
            }
        }
        if let Some(slots) = &self.slots {
            options.put_bytes(SLOT, slots.bytes());
        }
        let of_slots = self.slots.as_ref().and_then(|slots| slots.distribution.as_ref());
        for (kind, table) in [(DISTRIBUTION, self.distribution.as_ref()), (SLOT_DISTRIBUTION, of_slots)] {
            if let Some(table) = table {
                options.put_bytes(kind, table.iter().flat_map(|value| value.to_ne_bytes()).collect());
            }
        }
        if let Some(seed) = self.seed {
            options.put_u64(SEED, seed);
        }
        options.into_bytes()
    }

    /// `struct tc_netem_corr`, `tc_netem_reorder` and `tc_netem_corrupt`, the model of loss, and whether it only marks.
    fn put_probabilities(&self, options: &mut Options) {
        let correlations = [self.latency_correlation, self.loss_correlation, self.duplicate_correlation];
        if correlations.iter().any(Option::is_some) {
            options.put(CORRELATIONS, &correlations.map(|correlation| share::of(correlation.unwrap_or(0.0))));
        }
        for (kind, percentage, correlation) in
            [(REORDER, self.reorder, self.reorder_correlation), (CORRUPT, self.corrupt, self.corrupt_correlation)]
        {
            if percentage > 0.0 {
                options.put(kind, &[share::of(percentage), share::of(correlation.unwrap_or(0.0))]);
            }
        }
        if let Some(model) = self.loss_model {
            let (kind, shares) = model.attribute();
            let mut nested = Options::default();
            nested.put(kind, &shares);
            options.put_bytes(LOSS, nested.into_bytes());
        }
        if let Some(is_marking) = self.ecn {
            options.put(ECN, &[is_marking.into()]);
        }
    }

    /// `struct tc_netem_rate`: bytes per second, and the overheads of packets and cells.
    fn put_rate(&self, options: &mut Options, rate: u64) {
        let short = u32::try_from(rate).unwrap_or_else(|_| {
            options.put_u64(RATE64, rate);
            u32::MAX
        });
        let signed = |overhead: Option<i32>| overhead.unwrap_or(0).cast_unsigned();
        let cell_size = self.cell_size.unwrap_or(0);
        options.put(RATE, &[short, signed(self.packet_overhead), cell_size, signed(self.cell_overhead)]);
    }

    pub(crate) fn read(options: &[u8]) -> std::result::Result<Self, Malformed> {
        let mut netem = Self {
            latency: ticks::to_duration(u32_at(options, 0)?),
            limit: u32_at(options, 4)?,
            loss: share::percentage(u32_at(options, 8)?),
            gap: Some(u32_at(options, 12)?).filter(|gap| *gap > 1),
            duplicate: share::percentage(u32_at(options, 16)?),
            jitter: ticks::to_duration(u32_at(options, 20)?),
            ..Self::default()
        };
        for attribute in Attributes::behind(24, options)? {
            let (kind, value) = attribute?;
            netem.put(kind, value)?;
        }
        if netem.loss_model.is_some() {
            netem.loss = 0.0;
        }
        Ok(netem)
    }

    fn put(&mut self, kind: u16, value: &[u8]) -> std::result::Result<(), Malformed> {
        let given = |place: usize| u32_at(value, 4 * place).map(share::given);
        match kind {
            CORRELATIONS => {
                self.latency_correlation = given(0)?;
                self.loss_correlation = given(1)?;
                self.duplicate_correlation = given(2)?;
            }
            REORDER => (self.reorder, self.reorder_correlation) = (share::percentage(u32_at(value, 0)?), given(1)?),
            CORRUPT => (self.corrupt, self.corrupt_correlation) = (share::percentage(u32_at(value, 0)?), given(1)?),
            LOSS => self.loss_model = LossModel::read(value)?,
            RATE => self.read_rate(value)?,
            RATE64 => self.rate = Some(u64_at(value, 0)?.saturating_mul(8)),
            ECN => self.ecn = Some(u32_at(value, 0)? != 0).filter(|is_marking| *is_marking),
            LATENCY64 => self.latency = Duration::from_nanos(u64_at(value, 0)?),
            JITTER64 => self.jitter = Duration::from_nanos(u64_at(value, 0)?),
            SLOT => self.slots = Some(Slots::read(value)?),
            SEED => self.seed = Some(u64_at(value, 0)?),
            _ => {}
        }
        Ok(())
    }

    fn read_rate(&mut self, value: &[u8]) -> std::result::Result<(), Malformed> {
        let rate = 8 * u64::from(u32_at(value, 0)?);
        if rate == 0 {
            return Ok(());
        }
        let signed =
            |at: usize| u32_at(value, at).map(u32::cast_signed).map(|value| Some(value).filter(|_| value != 0));
        // The attribute of 64 bits comes first.
        self.rate = self.rate.or(Some(rate));
        self.packet_overhead = signed(4)?;
        self.cell_size = Some(u32_at(value, 8)?).filter(|size| *size != 0);
        self.cell_overhead = signed(12)?;
        Ok(())
    }
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
            ..Netem::default()
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
    fn all_of_it_is_read_as_it_is_written() {
        let slots = Slots {
            min_delay: Some(Duration::from_millis(1)),
            max_delay: Some(Duration::from_millis(2)),
            packets: Some(3),
            ..Slots::default()
        };
        let state = LossModel::State { p13: 1.0, p31: Some(90.0), p32: Some(2.0), p23: Some(80.0), p14: Some(0.5) };
        let given = Netem {
            latency_correlation: Some(25.0),
            loss: 0.0,
            loss_model: Some(state),
            ecn: Some(true),
            duplicate_correlation: Some(5.0),
            corrupt_correlation: Some(6.0),
            reorder_correlation: Some(50.0),
            gap: Some(5),
            packet_overhead: Some(-4),
            cell_size: Some(48),
            cell_overhead: Some(5),
            slots: Some(slots),
            seed: Some(u64::MAX),
            ..all()
        };
        assert_eq!(Netem::read(&given.options()).unwrap(), given);
        let gemodel = |to_good, loss_in_bad, loss_in_good| {
            let loss_model = Some(LossModel::Gemodel { to_bad: 1.0, to_good, loss_in_bad, loss_in_good });
            Netem { loss_model, ..Netem::default() }
        };
        let all_defaults = Netem::read(&gemodel(None, None, None).options()).unwrap();
        assert_eq!(all_defaults, gemodel(Some(99.0), Some(100.0), Some(0.0)));
        // The kernel does not report tables.
        let with_table = Netem { distribution: Some(vec![-1, 0, 1]), ..all() };
        assert_eq!(with_table.options().len(), all().options().len() + 12);
        assert_eq!(Netem::read(&with_table.options()).unwrap(), all());
    }

    #[test]
    fn values_out_of_range_are_rejected() {
        assert!(Netem { reorder: 1.0, ..Netem::default() }.check().is_err());
        assert!(Netem { latency: Duration::MAX, ..Netem::default() }.check().is_err());
        assert!(all().check().is_ok());
    }
}
