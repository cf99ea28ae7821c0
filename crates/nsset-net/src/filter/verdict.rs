//! What follows an action: `TC_ACT_*` of linux/pkt_cls.h, with the names of tc-actions(8).

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The next filter is tried.
    Continue,
    /// The packet goes on, and no other filter is tried.
    Pass,
    /// All filters are tried again.
    Reclassify,
    /// The packet is dropped.
    Drop,
    /// The next action follows.
    Pipe,
    /// The packet is consumed.
    Stolen,
    #[serde(untagged)]
    Other(i32),
}

const NUMBERS: [(Verdict, i32); 6] = [
    (Verdict::Continue, -1),
    (Verdict::Pass, 0),
    (Verdict::Reclassify, 1),
    (Verdict::Drop, 2),
    (Verdict::Pipe, 3),
    (Verdict::Stolen, 4),
];

impl From<i32> for Verdict {
    fn from(number: i32) -> Self {
        NUMBERS.iter().find(|(_, known)| *known == number).map_or(Self::Other(number), |(verdict, _)| *verdict)
    }
}

impl From<Verdict> for i32 {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Other(number) => number,
            verdict => NUMBERS.iter().find(|(known, _)| *known == verdict).map_or(0, |(_, number)| *number),
        }
    }
}
