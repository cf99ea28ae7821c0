//! Models of loss that comes in bursts.

use serde::{Deserialize, Serialize};

use super::share;
use crate::netlink::attributes::{Attributes, Malformed, u32_at};

/// A model of loss. All numbers are percentages.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum LossModel {
    /// A Markov chain with four states: 1 and 2 receive, 3 and 4 lose. `p13` is the probability of the way from 1 to 3.
    State {
        p13: f64,
        /// Default: what `p13` leaves.
        p31: Option<f64>,
        /// Default: 0.
        p32: Option<f64>,
        /// Default: 100.
        p23: Option<f64>,
        /// Default: 0.
        p14: Option<f64>,
    },
    /// The model of Gilbert and Elliott, with a good and a bad state.
    #[serde(rename_all = "camelCase")]
    Gemodel {
        /// The probability of the way from the good state to the bad one.
        to_bad: f64,
        /// Default: what `to_bad` leaves.
        to_good: Option<f64>,
        /// Default: 100.
        loss_in_bad: Option<f64>,
        /// Default: 0.
        loss_in_good: Option<f64>,
    },
}

/// `NETEM_LOSS_*` of linux/pkt_sched.h.
const STATE: u16 = 1;
const GEMODEL: u16 = 2;

impl LossModel {
    /// Returns the attribute within the attribute of the loss: `struct tc_netem_gimodel` or `struct tc_netem_gemodel`.
    pub(super) fn attribute(self) -> (u16, Vec<u32>) {
        match self {
            Self::State { p13, p31, p32, p23, p14 } => {
                let p31 = p31.unwrap_or(100.0 - p13);
                let shares = [p13, p31, p32.unwrap_or(0.0), p14.unwrap_or(0.0), p23.unwrap_or(100.0)];
                (STATE, shares.map(share::of).into())
            }
            Self::Gemodel { to_bad, to_good, loss_in_bad, loss_in_good } => {
                let to_good = to_good.unwrap_or(100.0 - to_bad);
                // The kernel has the probability that a packet arrives in the bad state.
                let arrives = u32::MAX - share::of(loss_in_bad.unwrap_or(100.0));
                let loss_in_good = share::of(loss_in_good.unwrap_or(0.0));
                (GEMODEL, vec![share::of(to_bad), share::of(to_good), arrives, loss_in_good])
            }
        }
    }

    pub(super) fn read(value: &[u8]) -> Result<Option<Self>, Malformed> {
        let Some(attribute) = Attributes::within(value).next() else { return Ok(None) };
        let (number, value) = attribute?;
        let share_at = |place: usize| u32_at(value, 4 * place);
        let at = |place: usize| share_at(place).map(share::percentage);
        match number {
            STATE => Ok(Some(Self::State {
                p13: at(0)?,
                p31: Some(at(1)?),
                p32: Some(at(2)?),
                p14: Some(at(3)?),
                p23: Some(at(4)?),
            })),
            GEMODEL => Ok(Some(Self::Gemodel {
                to_bad: at(0)?,
                to_good: Some(at(1)?),
                loss_in_bad: Some(share::percentage(u32::MAX - share_at(2)?)),
                loss_in_good: Some(at(3)?),
            })),
            _ => Ok(None),
        }
    }
}
