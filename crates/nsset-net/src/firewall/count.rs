//! The numbers that the counters and quotas of a table have.

use serde::Serialize;
use serde_with::{Map, serde_as};

use super::{
    expression::{
        Expression,
        action::{counter::Counter, quota::Quota},
        list,
    },
    matching::{data_type::DataType, operand::Operand},
    object::{FoundObject, ObjectKind},
    read::{FoundRule, SetHeader},
    set::found::Found,
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

/// What the counter of an element of a set has counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ElementCount {
    pub set: String,
    pub key: Operand,
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
    pub elements: Vec<ElementCount>,
}

impl TableCounts {
    pub(crate) fn of(objects: &[FoundObject], rules: &[FoundRule]) -> Result<Self, Malformed> {
        let mut counts = Self::default();
        for found in objects {
            match ObjectKind::of(found.kind) {
                Some(ObjectKind::Counter) => {
                    let Counter { bytes, packets } = Counter::read_fields(&found.data)?;
                    counts.counters.push((found.name.clone(), Count { packets, bytes }));
                }
                Some(ObjectKind::Quota) => {
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

    /// Adds the counters of the elements of a set, if its keys have a name here.
    pub(crate) fn add_elements(&mut self, header: &SetHeader, found: &Found) {
        let Some(types) = DataType::concatenated(header.key_type) else { return };
        for (element, last) in found.intervals(&types) {
            let counter = element.own.iter().find_map(|expression| match expression {
                Expression::Counter(Counter { bytes, packets }) => Some(Count { packets: *packets, bytes: *bytes }),
                _ => None,
            });
            if let (Some(count), Some(key)) = (counter, found.operand(element, last.as_deref(), &types)) {
                self.elements.push(ElementCount { set: header.name.clone(), key, count });
            }
        }
    }
}
