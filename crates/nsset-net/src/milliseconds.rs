//! Durations and times in plain data: milliseconds with fractions, as in Node.js.
//!
//! `DurationMilliSecondsWithFrac` of serde_with adds seconds and nanoseconds after it has rounded both: 28.798 ms become
//! 28.798000000000002. One division is exact.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serializer, de::Error};
use serde_with::{DeserializeAs, SerializeAs};

/// How `serde_as` writes and reads a [`Duration`], and a [`SystemTime`] as the time since the epoch.
pub(crate) struct Milliseconds;

impl SerializeAs<Duration> for Milliseconds {
    fn serialize_as<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serialize(*time, serializer)
    }
}

impl SerializeAs<SystemTime> for Milliseconds {
    fn serialize_as<S: Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
        serialize(time.duration_since(UNIX_EPOCH).unwrap_or_default(), serializer)
    }
}

impl<'de> DeserializeAs<'de, Duration> for Milliseconds {
    fn deserialize_as<D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        to(f64::deserialize(deserializer)?)
    }
}

/// Whole milliseconds are written without a fraction: JavaScript reads digits several times faster than the same number with `.0`, and
/// long lists have three times in each object.
fn serialize<S: Serializer>(time: Duration, serializer: S) -> Result<S::Ok, S::Error> {
    let is_whole = time.subsec_nanos().is_multiple_of(NANOSECONDS);
    match u64::try_from(time.as_millis()) {
        Ok(milliseconds) if is_whole => serializer.serialize_u64(milliseconds),
        _ => serializer.serialize_f64(from(time)),
    }
}

/// Of a millisecond.
const NANOSECONDS: u32 = 1_000_000;

#[expect(clippy::cast_precision_loss, reason = "exact for 104 days, and to a microsecond for ages")]
fn from(time: Duration) -> f64 {
    time.as_nanos() as f64 / 1e6
}

fn to<E: Error>(milliseconds: f64) -> Result<Duration, E> {
    Duration::try_from_secs_f64(milliseconds / 1e3).map_err(E::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_come_through() {
        for (nanoseconds, milliseconds) in [(0, 0.0), (64, 0.000_064), (1_500_000, 1.5), (28_798_000, 28.798)] {
            let time = Duration::from_nanos(nanoseconds);
            assert_eq!(to::<serde::de::value::Error>(milliseconds).unwrap(), time);
            assert!(from(time).to_bits() == f64::to_bits(milliseconds), "{milliseconds}");
        }
        assert!(to::<serde::de::value::Error>(-1.0).is_err());
    }

    #[test]
    fn whole_milliseconds_are_written_without_a_fraction() {
        #[serde_with::serde_as]
        #[derive(serde::Serialize)]
        struct Time(#[serde_as(as = "Milliseconds")] Duration);

        for (nanoseconds, text) in [(0, "0"), (28_000_000, "28"), (28_798_000, "28.798"), (64, "0.000064")] {
            assert_eq!(serde_json::to_string(&Time(Duration::from_nanos(nanoseconds))).unwrap(), text);
        }
    }
}
