//! Rules of policy routing: which routing table is searched for a packet (ip-rule(8)).

mod action;
mod message;
mod range;
#[allow(clippy::module_inception)]
mod rule;
mod rules;

pub use action::RuleAction;
pub use range::{PortRange, UidRange};
pub use rule::Rule;
pub use rules::Rules;
