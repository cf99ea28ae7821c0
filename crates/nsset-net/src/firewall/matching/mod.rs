//! Matches: what is compared (`selector`), with what (`operand`), and how (`test`).

pub(crate) mod computed;
pub(crate) mod context;
pub(crate) mod data_type;
mod date;
pub(crate) mod lower;
pub(crate) mod mapped;
pub(crate) mod names;
pub(crate) mod operand;
pub(crate) mod selector;
pub(crate) mod selectors;
pub(crate) mod source;
pub(crate) mod tables;
pub(crate) mod test;
pub(crate) mod verdict;

pub use mapped::{Mapped, Values};
pub use operand::Operand;
pub use selectors::Selectors;
pub use test::{Operator, Test, Verdicts};
pub use verdict::Verdict;
