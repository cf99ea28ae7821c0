//! The metrics of a route: `RTA_METRICS`, the options of ip-route(8) from `mtu` to `fastopen_no_cookie`.

use std::collections::BTreeMap;

use netlink_packet_core::DefaultNla;
use netlink_packet_route::route::RouteMetric;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser::SerializeMap};

use crate::netlink::attributes::{Attributes, Malformed, text, u32_at};

/// The metrics of a route, by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metrics {
    /// The kernel's number and value of each metric.
    values: BTreeMap<u16, u32>,
    congestion_control: Option<String>,
}

/// The kernel's unit of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Plain,
    Flag,
    /// Milliseconds multiplied by this number.
    Milliseconds(u32),
}

/// `RTAX_*` of linux/rtnetlink.h, in the order of their numbers, from 2.
const METRICS: [(&str, Unit); 16] = [
    ("mtu", Unit::Plain),
    ("window", Unit::Plain),
    ("rtt", Unit::Milliseconds(8)),
    ("rttVariance", Unit::Milliseconds(4)),
    ("slowStartThreshold", Unit::Plain),
    ("congestionWindow", Unit::Plain),
    ("advertisedMss", Unit::Plain),
    ("reordering", Unit::Plain),
    ("hopLimit", Unit::Plain),
    ("initialCongestionWindow", Unit::Plain),
    ("features", Unit::Plain),
    ("minimumRto", Unit::Milliseconds(1)),
    ("initialReceiveWindow", Unit::Plain),
    ("quickAck", Unit::Flag),
    (CONGESTION_CONTROL, Unit::Plain),
    ("fastOpenNoCookie", Unit::Flag),
];

const CONGESTION_CONTROL: &str = "congestionControl";
const LOCKED: &str = "locked";

const RTAX_LOCK: u16 = 1;
const RTAX_CC_ALGO: u16 = 16;

fn numbered() -> impl Iterator<Item = (u16, &'static str, Unit)> {
    (2..).zip(METRICS).map(|(number, (name, unit))| (number, name, unit))
}

fn known(wanted: &str) -> Option<(u16, Unit)> {
    numbered().find(|(_, name, _)| *name == wanted).map(|(number, _, unit)| (number, unit))
}

impl Metrics {
    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty() && self.congestion_control.is_none()
    }

    pub(super) fn attributes(&self) -> Vec<RouteMetric> {
        let plain = |(number, value): (&u16, &u32)| DefaultNla::new(*number, value.to_ne_bytes().into());
        let values = self.values.iter().map(plain).map(RouteMetric::Other);
        values.chain(self.congestion_control.clone().map(RouteMetric::CcAlgo)).collect()
    }

    pub(super) fn read(value: &[u8]) -> Result<Self, Malformed> {
        let mut metrics = Self::default();
        for attribute in Attributes::within(value) {
            match attribute? {
                (RTAX_CC_ALGO, value) => metrics.congestion_control = Some(text(value)),
                (number, value) => {
                    metrics.values.insert(number, u32_at(value, 0)?);
                }
            }
        }
        Ok(metrics)
    }

    /// Returns the names of the locked metrics, which path MTU discovery and the like must not change.
    fn locked(&self) -> Vec<&'static str> {
        let locks = self.values.get(&RTAX_LOCK).copied().unwrap_or(0);
        let is_locked = |number: u16| locks & 1 << number != 0;
        numbered().filter(|(number, ..)| is_locked(*number)).map(|(_, name, _)| name).collect()
    }
}

impl Serialize for Metrics {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (number, name, unit) in numbered() {
            let Some(value) = self.values.get(&number) else { continue };
            match unit {
                Unit::Plain | Unit::Milliseconds(1) => map.serialize_entry(name, value)?,
                Unit::Flag => map.serialize_entry(name, &(*value != 0))?,
                Unit::Milliseconds(by) => map.serialize_entry(name, &(f64::from(*value) / f64::from(by)))?,
            }
        }
        if let Some(name) = &self.congestion_control {
            map.serialize_entry(CONGESTION_CONTROL, name)?;
        }
        let locked = self.locked();
        if !locked.is_empty() {
            map.serialize_entry(LOCKED, &locked)?;
        }
        map.end()
    }
}

/// A metric in plain data.
#[derive(Deserialize)]
#[serde(untagged)]
enum Plain {
    Flag(bool),
    Number(f64),
    Text(String),
    Names(Vec<String>),
}

impl<'de> Deserialize<'de> for Metrics {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut metrics = Self::default();
        for (name, value) in BTreeMap::<String, Plain>::deserialize(deserializer)? {
            metrics.put(&name, value).ok_or_else(|| de::Error::custom(format_args!("invalid metric: {name}")))?;
        }
        Ok(metrics)
    }
}

impl Metrics {
    fn put(&mut self, name: &str, value: Plain) -> Option<()> {
        let (number, value) = match value {
            Plain::Text(text) if name == CONGESTION_CONTROL && !text.contains('\0') => {
                self.congestion_control = Some(text);
                return Some(());
            }
            Plain::Names(names) if name == LOCKED => (RTAX_LOCK, locks(&names)?),
            Plain::Flag(on) => (known(name).filter(|(_, unit)| *unit == Unit::Flag)?.0, u32::from(on)),
            Plain::Number(value) => match known(name)? {
                (number, Unit::Plain) => (number, whole(value)?),
                (number, Unit::Milliseconds(by)) => (number, whole((value * f64::from(by)).round())?),
                (_, Unit::Flag) => return None,
            },
            _ => return None,
        };
        self.values.insert(number, value);
        Some(())
    }
}

fn locks(names: &[String]) -> Option<u32> {
    names.iter().try_fold(0, |locks, name| Some(locks | 1 << known(name)?.0))
}

fn whole(value: f64) -> Option<u32> {
    let is_whole = (0.0..=f64::from(u32::MAX)).contains(&value) && value.fract() == 0.0;
    is_whole.then_some(value as u32)
}

#[cfg(test)]
mod tests {
    use netlink_packet_core::Emitable;
    use serde_json::{from_value, json, to_value};

    use super::*;

    fn bytes(metrics: &Metrics) -> Vec<u8> {
        let attributes = metrics.attributes();
        let mut bytes = vec![0; attributes.as_slice().buffer_len()];
        attributes.as_slice().emit(&mut bytes);
        bytes
    }

    /// The bytes that `ip route add … mtu lock 1400 rtt 20ms quickack 1 congctl reno` sends in `RTA_METRICS` (iproute2 6.1).
    #[test]
    fn they_are_data_and_bytes_alike() {
        let data =
            json!({ "mtu": 1400, "rtt": 20.0, "quickAck": true, "congestionControl": "reno", "locked": ["mtu"] });
        let metrics: Metrics = from_value(data.clone()).unwrap();
        assert_eq!(to_value(&metrics).unwrap(), data);
        assert_eq!(Metrics::read(&bytes(&metrics)).unwrap(), metrics);
        let lock = [8, 0, 1, 0, 4, 0, 0, 0];
        let mtu = [8, 0, 2, 0, 0x78, 5, 0, 0];
        assert_eq!(bytes(&metrics)[..16], [lock, mtu].concat());
    }

    #[test]
    fn nothing_else_is_one() {
        for data in
            [json!({ "mtu": true }), json!({ "mtu": -1 }), json!({ "speed": 1 }), json!({ "locked": ["speed"] })]
        {
            assert!(from_value::<Metrics>(data.clone()).is_err(), "{data}");
        }
    }
}
