//! Expressions that do something with a packet, one in each file.

pub(crate) mod connlimit;
pub(crate) mod counter;
pub(crate) mod dup;
pub(crate) mod dynset;
pub(crate) mod flow_offload;
pub(crate) mod fwd;
pub(crate) mod limit;
pub(crate) mod log;
pub(crate) mod notrack;
pub(crate) mod objref;
pub(crate) mod queue;
pub(crate) mod quota;
pub(crate) mod reject;
pub(crate) mod synproxy;
