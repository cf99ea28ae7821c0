//! What a rule does with a packet that matches.

use serde::{Deserialize, Serialize};

/// What a rule does with a packet that matches: `FR_ACT_*` of linux/fib_rules.h.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RuleAction {
    /// The route is searched in a table.
    #[default]
    Lookup,
    /// The search continues at another rule.
    Goto,
    /// The rule does nothing.
    Nop,
    /// The packet is dropped.
    Blackhole,
    /// The sender gets the ICMP message "unreachable".
    Unreachable,
    /// The sender gets the ICMP message "prohibited".
    Prohibit,
    #[serde(untagged)]
    Other(u8),
}

const NUMBERS: [(RuleAction, u8); 6] = [
    (RuleAction::Lookup, 1),
    (RuleAction::Goto, 2),
    (RuleAction::Nop, 3),
    (RuleAction::Blackhole, 6),
    (RuleAction::Unreachable, 7),
    (RuleAction::Prohibit, 8),
];

impl From<u8> for RuleAction {
    fn from(number: u8) -> Self {
        let known = NUMBERS.iter().find(|(_, known)| *known == number);
        known.map_or(Self::Other(number), |(action, _)| *action)
    }
}

impl From<RuleAction> for u8 {
    fn from(action: RuleAction) -> Self {
        match action {
            RuleAction::Other(number) => number,
            action => NUMBERS.iter().find(|(known, _)| *known == action).map_or(0, |(_, number)| *number),
        }
    }
}
