//! Spans and points of time in JSON: milliseconds, and milliseconds since the epoch, as JavaScript has them.
#![allow(clippy::ref_option)] // serde passes such

/// A span, or none.
pub(super) mod span {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

    pub fn serialize<S: Serializer>(span: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        span.map(|span| span.as_secs_f64() * 1000.0).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        let Some(milliseconds) = Option::<f64>::deserialize(deserializer)? else { return Ok(None) };
        let span = Duration::try_from_secs_f64(milliseconds / 1000.0);
        span.map(Some).map_err(|_| de::Error::custom(format!("{milliseconds} is no number of milliseconds")))
    }
}

/// A point, or none. None is before the epoch.
pub(super) mod point {
    use std::time::{SystemTime, UNIX_EPOCH};

    use serde::{Deserializer, Serializer, de};

    pub fn serialize<S: Serializer>(point: &Option<SystemTime>, serializer: S) -> Result<S::Ok, S::Error> {
        let since_epoch = point.map(|point| point.duration_since(UNIX_EPOCH).unwrap_or_default());
        super::span::serialize(&since_epoch, serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SystemTime>, D::Error> {
        let Some(since_epoch) = super::span::deserialize(deserializer)? else { return Ok(None) };
        UNIX_EPOCH.checked_add(since_epoch).map(Some).ok_or_else(|| de::Error::custom("no time is that late"))
    }
}
