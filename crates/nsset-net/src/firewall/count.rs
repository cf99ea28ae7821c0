//! The numbers that the counters and quotas of a table have.

use serde::Serialize;
use serde_with::{Map, serde_as};

use super::{
    expression::{
        Expression,
        action::{counter::Counter, quota::Quota},
        list,
    },
    message::object,
    read::{FoundObject, FoundRule},
};
use crate::netlink::attributes::Malformed;

/// What was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    pub packets: u64,
    pub bytes: u64,
}

/// What the counter of a rule has counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleCount {
    pub chain: String,
    /// Counted from 0.
    pub rule: usize,
    #[serde(flatten)]
    pub count: Count,
}

/// What the counters and quotas of a table have counted.
#[serde_as]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TableCounts {
    #[serde_as(as = "Map<_, _>")]
    pub counters: Vec<(String, Count)>,
    /// In bytes.
    #[serde_as(as = "Map<_, _>")]
    pub quotas: Vec<(String, u64)>,
    pub rules: Vec<RuleCount>,
}

impl TableCounts {
    pub(crate) fn of(objects: &[FoundObject], rules: &[FoundRule]) -> Result<Self, Malformed> {
        let mut counts = Self::default();
        for found in objects {
            match found.kind {
                object::COUNTER => {
                    let Counter { bytes, packets } = Counter::read_fields(&found.data)?;
                    counts.counters.push((found.name.clone(), Count { packets, bytes }));
                }
                object::QUOTA => {
                    let quota = Quota::read_fields(&found.data)?;
                    counts.quotas.push((found.name.clone(), quota.consumed.unwrap_or(0)));
                }
                _ => {}
            }
        }
        let (mut chain, mut number) = ("", 0);
        for rule in rules {
            number = if rule.chain == chain { number + 1 } else { 0 };
            chain = &rule.chain;
            for expression in list::read(&rule.expressions)? {
                if let Expression::Counter(Counter { bytes, packets }) = expression {
                    let count = Count { packets, bytes };
                    counts.rules.push(RuleCount { chain: rule.chain.clone(), rule: number, count });
                }
            }
        }
        Ok(counts)
    }
}
