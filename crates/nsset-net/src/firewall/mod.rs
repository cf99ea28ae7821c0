//! nf_tables: tables, chains, rules and sets as plain data. A rule is made into expressions (`statement`, `matching`, `expression`), and
//! a table into the messages of one batch (`write`).

mod count;
mod difference;
mod expression;
mod family;
#[expect(clippy::module_inception, reason = "the operations, as in the other parts of a network")]
mod firewall;
mod flow_table;
mod hook;
mod matching;
pub(crate) mod message;
mod missing;
mod object;
mod place;
mod read;
mod set;
mod statement;
mod table;
mod user_data;
mod write;

pub(crate) use difference::Existing;
pub(crate) use read::family;

pub use count::{Count, RuleCount, TableCounts};
pub use family::Family;
pub use firewall::Firewall;
pub use flow_table::FlowTable;
pub use hook::Priority;
pub use matching::{Mapped, Operand, Operator, Selectors, Test, Values, Verdict, Verdicts};
pub use object::{
    Expectation, Helper, NamedCounter, NamedLimit, NamedQuota, NamedSynproxy, Network, ObjectKind, Secmark, Timeout,
    TimeoutPolicy, Transport,
};
pub use statement::{
    Destination, ElementOf, ElementOperation, Limit, Log, NewValue, Own, Port, Queue, Quota, Statement, Synproxy,
    Target, Translation, Unit,
};
pub use table::{Chain, DetailedElement, MapTypes, OneOrMore, Policy, Set, SetElement, SetFlag, Table, TableRef};
