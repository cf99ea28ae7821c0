//! Durations and times in plain data: milliseconds, and fractions of them, as Node.js has them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

pub(crate) fn serialize<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(from(*time))
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    to(f64::deserialize(deserializer)?)
}

/// The same of what may be left out.
pub(crate) mod optional {
    use super::{Deserialize, Deserializer, Duration, Serialize, Serializer, from, to};

    #[expect(clippy::ref_option, reason = "serde passes references")]
    pub(crate) fn serialize<S: Serializer>(time: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        time.map(from).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        Option::deserialize(deserializer)?.map(to).transpose()
    }
}

/// A time that may be missing, since the epoch.
#[expect(clippy::ref_option, reason = "serde passes references")]
pub(crate) fn since_epoch<S: Serializer>(time: &Option<SystemTime>, serializer: S) -> Result<S::Ok, S::Error> {
    time.map(|time| from(time.duration_since(UNIX_EPOCH).unwrap_or_default())).serialize(serializer)
}

#[expect(clippy::cast_precision_loss, reason = "exact for 104 days, and to a microsecond for ages")]
fn from(time: Duration) -> f64 {
    time.as_nanos() as f64 / 1e6
}

fn to<E: Error>(milliseconds: f64) -> Result<Duration, E> {
    Duration::try_from_secs_f64(milliseconds / 1e3)
        .map_err(|_| E::custom(format_args!("{milliseconds} is no number of milliseconds")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_come_through() {
        for nanoseconds in [0, 64, 1_500_000, 100_000_000_000] {
            let time = Duration::from_nanos(nanoseconds);
            assert_eq!(to::<serde::de::value::Error>(from(time)).unwrap(), time);
        }
        assert!(to::<serde::de::value::Error>(-1.0).is_err());
    }
}
