//! Matches: what is compared (`selector`), with what (`operand`), and how (`test`).

pub(crate) mod context;
pub(crate) mod data_type;
pub(crate) mod lower;
pub(crate) mod names;
pub(crate) mod operand;
pub(crate) mod selector;
pub(crate) mod source;
pub(crate) mod test;
pub(crate) mod verdict;

pub use operand::Operand;
pub use test::{Operator, Test, Verdicts};
pub use verdict::Verdict;
