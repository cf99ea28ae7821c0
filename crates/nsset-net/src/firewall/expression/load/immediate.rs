//! A constant for a register, or a verdict.

use crate::firewall::expression::{data::Data, field::expression};

/// The register of verdicts.
pub(crate) const VERDICT: u32 = 0;

expression! {
    Immediate = "immediate" { 1 => target: u32, 2 => data: Data }
}
