//! What may be reached.

mod closed;
mod pattern;
mod rule;
mod rule_set;

pub use closed::{Closed, closed};
pub use pattern::{NamePattern, normalized};
pub use rule::{Protocol, Rule};
pub use rule_set::{Destination, Reason, RuleSet, Verdict};
