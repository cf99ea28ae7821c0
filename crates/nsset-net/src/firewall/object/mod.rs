//! Named objects of a table, which several rules can use. One kind of object, one file.

mod counter;
mod definition;
mod expectation;
mod helper;
mod kind;
mod limit;
mod protocol;
mod quota;
mod secmark;
mod synproxy;
mod timeout;

pub use counter::NamedCounter;
pub(crate) use definition::{Definition, FoundObject};
pub use expectation::Expectation;
pub use helper::Helper;
pub use kind::ObjectKind;
pub use limit::NamedLimit;
pub use protocol::{Network, Transport};
pub use quota::NamedQuota;
pub use secmark::Secmark;
pub use synproxy::NamedSynproxy;
pub use timeout::{Policy as TimeoutPolicy, Timeout};
