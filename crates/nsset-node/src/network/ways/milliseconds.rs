//! Durations from JavaScript.

use std::time::Duration;

/// A duration from JavaScript; at most a year, which is more than any timer needs.
pub fn milliseconds(number: f64) -> Duration {
    const YEAR: f64 = 365.0 * 24.0 * 3_600_000.0;
    Duration::from_secs_f64(number.clamp(0.0, YEAR) / 1000.0)
}
