//! The kinds of action.

use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::verdict::Verdict;
use crate::{
    link_ref::LinkRef,
    netlink::attributes::{Attributes, Malformed, u16_at, u32_at, u64_at},
    netlink::message::AttributeWriter,
    octets::Octets,
    qdisc::rate_spec,
};

/// The kind of an action, with the settings of that kind.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum ActionKind {
    /// The packet, or a copy, goes to another link.
    Mirred {
        dev: LinkRef,
        mode: MirredMode,
        #[serde(default)]
        direction: Direction,
        /// Default: stolen for a redirected packet, pipe for a copied one.
        verdict: Option<Verdict>,
    },
    /// Nothing but a verdict.
    Gact { verdict: Verdict },
    /// Packets above a rate get another verdict.
    Police {
        /// In bit/s.
        rate: u64,
        /// In bytes.
        burst: u32,
        /// The largest packet in bytes.
        mtu: Option<u32>,
        /// Default: drop.
        exceed: Option<Verdict>,
        /// Default: pipe.
        conform: Option<Verdict>,
    },
    /// Properties of the packet are set.
    Skbedit {
        mark: Option<u32>,
        priority: Option<u32>,
        queue: Option<u16>,
        /// Default: pipe.
        verdict: Option<Verdict>,
    },
    /// A kind of which this crate knows only the name.
    Other {
        #[serde(rename = "type")]
        name: String,
        /// The options in the kernel's format.
        options: Option<Octets>,
    },
}

/// What goes to another link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MirredMode {
    Redirect,
    /// A copy.
    Mirror,
}

/// Whether a packet leaves through the other link, or arrives through it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    #[default]
    Egress,
    Ingress,
}

/// The numbers of the attributes: `TCA_MIRRED_PARMS`, `TCA_GACT_PARMS` and `TCA_SKBEDIT_PARMS` have the same.
const PARMS: u16 = 2;
const SKBEDIT_PRIORITY: u16 = 3;
const SKBEDIT_QUEUE: u16 = 4;
const SKBEDIT_MARK: u16 = 5;
const POLICE_TBF: u16 = 1;
const POLICE_RATE_TABLE: u16 = 2;
const POLICE_RESULT: u16 = 5;
const POLICE_RATE64: u16 = 8;

/// The place of the verdict in `tc_gen` of linux/pkt_cls.h, and the size of that.
const VERDICT: usize = 8;
const GENERIC: usize = 20;

/// The places in `struct tc_police`.
const POLICE_VERDICT: usize = 4;
const POLICE_BURST: usize = 12;
const POLICE_MTU: usize = 16;
const POLICE_RATE: usize = 28;
const POLICE_PEAK_RATE: usize = 40;

impl ActionKind {
    /// The kernel's name of the kind.
    pub fn name(&self) -> &str {
        match self {
            Self::Mirred { .. } => "mirred",
            Self::Gact { .. } => "gact",
            Self::Police { .. } => "police",
            Self::Skbedit { .. } => "skbedit",
            Self::Other { name, .. } => name,
        }
    }

    /// The link to which packets go.
    pub(super) fn link(&self) -> Option<&LinkRef> {
        match self {
            Self::Mirred { dev, .. } => Some(dev),
            _ => None,
        }
    }

    pub(super) fn write(&self, link: u32, options: &mut AttributeWriter) {
        match self {
            Self::Mirred { mode, direction, verdict, .. } => {
                let (number, default) = match (direction, mode) {
                    (Direction::Egress, MirredMode::Redirect) => (1_u32, Verdict::Stolen),
                    (Direction::Egress, MirredMode::Mirror) => (2, Verdict::Pipe),
                    (Direction::Ingress, MirredMode::Redirect) => (3, Verdict::Stolen),
                    (Direction::Ingress, MirredMode::Mirror) => (4, Verdict::Pipe),
                };
                let mut parameters = generic(verdict.unwrap_or(default));
                parameters.extend([number, link].into_iter().flat_map(u32::to_ne_bytes));
                options.put(PARMS, &parameters);
            }
            Self::Gact { verdict } => options.put(PARMS, &generic(*verdict)),
            Self::Police { rate, burst, mtu, exceed, conform } => {
                let rate = rate / 8;
                let (spec, is_fast) = rate_spec::spec(rate);
                let exceed = i32::from(exceed.unwrap_or(Verdict::Drop)) as u32;
                let words = [0, exceed, 0, rate_spec::ticks_of(*burst, rate), mtu.unwrap_or(0)];
                let mut parameters: Vec<u8> = words.into_iter().flat_map(u32::to_ne_bytes).collect();
                parameters.extend(spec);
                // No peak rate, and what the kernel counts.
                parameters.extend([0; 12 + 12]);
                options.put(POLICE_TBF, &parameters);
                options.put(POLICE_RATE_TABLE, &rate_spec::table(rate));
                options.put_u32(POLICE_RESULT, i32::from(conform.unwrap_or(Verdict::Pipe)) as u32);
                if is_fast {
                    options.put_u64(POLICE_RATE64, rate);
                }
            }
            Self::Skbedit { mark, priority, queue, verdict } => {
                options.put(PARMS, &generic(verdict.unwrap_or(Verdict::Pipe)));
                for (kind, number) in [(SKBEDIT_PRIORITY, priority), (SKBEDIT_MARK, mark)] {
                    if let Some(number) = number {
                        options.put_u32(kind, *number);
                    }
                }
                if let Some(queue) = queue {
                    options.put_u16(SKBEDIT_QUEUE, *queue);
                }
            }
            Self::Other { options: octets, .. } => {
                for attribute in octets.iter().flat_map(|octets| Attributes::within(&octets.0)).flatten() {
                    options.put(attribute.0, attribute.1);
                }
            }
        }
    }

    /// Reads the options of a kind. If they cannot be read, the result has only the name.
    pub(super) fn read(name: String, options: &[u8]) -> Self {
        let kind = match name.as_str() {
            "mirred" => read_mirred(options),
            "gact" => read_gact(options),
            "police" => read_police(options),
            "skbedit" => read_skbedit(options),
            _ => Err(Malformed),
        };
        kind.unwrap_or_else(|_| {
            let options = Some(Octets(options.to_vec())).filter(|options| !options.0.is_empty());
            Self::Other { name, options }
        })
    }
}

/// `tc_gen`: only the verdict is for the kernel to read.
fn generic(verdict: Verdict) -> Vec<u8> {
    let mut bytes = vec![0; GENERIC];
    let number = i32::from(verdict).to_ne_bytes();
    bytes.iter_mut().skip(VERDICT).zip(number).for_each(|(place, byte)| *place = byte);
    bytes
}

fn verdict_at(value: &[u8], place: usize) -> Result<Verdict, Malformed> {
    u32_at(value, place).map(|number| Verdict::from(number as i32))
}

fn find(options: &[u8], wanted: u16) -> Result<Option<&[u8]>, Malformed> {
    for attribute in Attributes::within(options) {
        let (kind, value) = attribute?;
        if kind == wanted {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

/// Fails if there are other attributes: an action without what this crate does not know would do something else.
fn ensure_only(options: &[u8], known: &[u16]) -> Result<(), Malformed> {
    for attribute in Attributes::within(options) {
        if !known.contains(&attribute?.0) {
            return Err(Malformed);
        }
    }
    Ok(())
}

/// `TCA_*_TM`, times that the kernel counts, and `TCA_*_PAD`.
const TIMES: u16 = 1;
const MIRRED_PAD: u16 = 3;
const GACT_PAD: u16 = 4;
const SKBEDIT_PAD: u16 = 6;
const POLICE_TIMES: u16 = 6;
const POLICE_PAD: u16 = 7;

fn read_mirred(options: &[u8]) -> Result<ActionKind, Malformed> {
    ensure_only(options, &[TIMES, PARMS, MIRRED_PAD])?;
    let parameters = find(options, PARMS)?.ok_or(Malformed)?;
    let (direction, mode) = match u32_at(parameters, GENERIC)? {
        1 => (Direction::Egress, MirredMode::Redirect),
        2 => (Direction::Egress, MirredMode::Mirror),
        3 => (Direction::Ingress, MirredMode::Redirect),
        4 => (Direction::Ingress, MirredMode::Mirror),
        _ => return Err(Malformed),
    };
    let dev = LinkRef::Index(u32_at(parameters, GENERIC + 4)?);
    Ok(ActionKind::Mirred { dev, mode, direction, verdict: Some(verdict_at(parameters, VERDICT)?) })
}

fn read_gact(options: &[u8]) -> Result<ActionKind, Malformed> {
    ensure_only(options, &[TIMES, PARMS, GACT_PAD])?;
    let parameters = find(options, PARMS)?.ok_or(Malformed)?;
    Ok(ActionKind::Gact { verdict: verdict_at(parameters, VERDICT)? })
}

fn read_police(options: &[u8]) -> Result<ActionKind, Malformed> {
    ensure_only(options, &[POLICE_TBF, POLICE_RESULT, POLICE_RATE64, POLICE_TIMES, POLICE_PAD])?;
    let parameters = find(options, POLICE_TBF)?.ok_or(Malformed)?;
    if u32_at(parameters, POLICE_PEAK_RATE)? != 0 {
        return Err(Malformed);
    }
    let rate = match find(options, POLICE_RATE64)? {
        Some(value) => u64_at(value, 0)?,
        None => u32_at(parameters, POLICE_RATE)?.into(),
    };
    let conform = find(options, POLICE_RESULT)?;
    Ok(ActionKind::Police {
        rate: rate.saturating_mul(8),
        burst: rate_spec::bytes_in(u32_at(parameters, POLICE_BURST)?, rate),
        mtu: Some(u32_at(parameters, POLICE_MTU)?).filter(|mtu| *mtu != 0),
        exceed: Some(verdict_at(parameters, POLICE_VERDICT)?),
        conform: conform.map(|value| verdict_at(value, 0)).transpose()?.or(Some(Verdict::Pass)),
    })
}

fn read_skbedit(options: &[u8]) -> Result<ActionKind, Malformed> {
    ensure_only(options, &[TIMES, PARMS, SKBEDIT_PRIORITY, SKBEDIT_QUEUE, SKBEDIT_MARK, SKBEDIT_PAD])?;
    let parameters = find(options, PARMS)?.ok_or(Malformed)?;
    let number = |kind| find(options, kind)?.map(|value| u32_at(value, 0)).transpose();
    Ok(ActionKind::Skbedit {
        mark: number(SKBEDIT_MARK)?,
        priority: number(SKBEDIT_PRIORITY)?,
        queue: find(options, SKBEDIT_QUEUE)?.map(|value| u16_at(value, 0)).transpose()?,
        verdict: Some(verdict_at(parameters, VERDICT)?),
    })
}
