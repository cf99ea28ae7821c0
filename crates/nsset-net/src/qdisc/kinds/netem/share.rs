//! Probabilities: shares of the range of a u32 for the kernel, and percentages in plain data.

/// Converts a percentage to a share of the range of a u32.
pub(super) fn of(percentage: f64) -> u32 {
    (percentage / 100.0 * f64::from(u32::MAX)).round_ties_even() as u32
}

pub(super) fn percentage(share: u32) -> f64 {
    // Rounds to the digits that were given: a share is exact to nine.
    (f64::from(share) / f64::from(u32::MAX) * 1e9).round() / 1e7
}

/// The kernel reports zero for what was not given.
pub(super) fn given(share: u32) -> Option<f64> {
    Some(percentage(share)).filter(|_| share != 0)
}
