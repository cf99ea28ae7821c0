//! `quota`, `limit` and `ct count`.

use serde::{Deserialize, Serialize};

use crate::firewall::expression::action::{
    connlimit::{self, Connlimit},
    limit::{self, Limit as LimitExpression},
    quota::{self, Quota as QuotaExpression},
};

/// A number of bytes. Matches packets up to it or, with `over`, after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    pub bytes: u64,
    #[serde(default, skip_serializing_if = "is_false")]
    pub over: bool,
}

/// A rate in packets or bytes. Matches packets up to it or, with `over`, beyond it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    pub rate: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    pub per: Unit,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub burst: Option<u32>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub bytes: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pub over: bool,
}

/// A number of connections. Matches up to it or, with `over`, beyond it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionCount {
    pub connections: u32,
    #[serde(default, skip_serializing_if = "is_false")]
    pub over: bool,
}

/// The time of a rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    #[default]
    Second,
    Minute,
    Hour,
    Day,
    Week,
}

const UNITS: [(Unit, u64); 5] =
    [(Unit::Second, 1), (Unit::Minute, 60), (Unit::Hour, 3600), (Unit::Day, 86_400), (Unit::Week, 604_800)];

/// What nft(8) gives packets if there is no burst; bytes have none.
const BURST: u32 = 5;

impl Quota {
    pub(crate) fn lower(&self) -> QuotaExpression {
        QuotaExpression { bytes: self.bytes, flags: u32::from(self.over) * quota::OVER, consumed: None }
    }

    pub(crate) fn lift(quota: &QuotaExpression) -> Self {
        Self { bytes: quota.bytes, over: quota.flags & quota::OVER != 0 }
    }
}

impl ConnectionCount {
    pub(crate) fn lower(&self) -> Connlimit {
        Connlimit { count: self.connections, flags: self.over.then_some(connlimit::OVER) }
    }

    pub(crate) fn lift(limit: &Connlimit) -> Self {
        Self { connections: limit.count, over: limit.flags.unwrap_or(0) & connlimit::OVER != 0 }
    }
}

impl Limit {
    fn default_burst(bytes: bool) -> u32 {
        if bytes { 0 } else { BURST }
    }

    pub(crate) fn lower(&self) -> LimitExpression {
        let seconds = UNITS.iter().find(|(unit, _)| *unit == self.per).map_or(1, |(_, seconds)| *seconds);
        LimitExpression {
            rate: self.rate,
            unit: seconds,
            burst: self.burst.unwrap_or_else(|| Self::default_burst(self.bytes)),
            kind: u32::from(self.bytes) * limit::BYTES,
            flags: u32::from(self.over) * limit::OVER,
        }
    }

    pub(crate) fn lift(limit: &LimitExpression) -> Option<Self> {
        let (unit, _) = UNITS.iter().find(|(_, seconds)| *seconds == limit.unit)?;
        let bytes = limit.kind == limit::BYTES;
        Some(Self {
            rate: limit.rate,
            per: *unit,
            burst: Some(limit.burst).filter(|burst| *burst != Self::default_burst(bytes)),
            bytes,
            over: limit.flags & limit::OVER != 0,
        })
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
pub(crate) fn is_false(value: &bool) -> bool {
    !*value
}

pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
