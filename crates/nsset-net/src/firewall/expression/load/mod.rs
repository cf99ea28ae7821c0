//! Expressions that load a register, one in each file.

pub(crate) mod ct;
pub(crate) mod exthdr;
pub(crate) mod fib;
pub(crate) mod hash;
pub(crate) mod immediate;
pub(crate) mod meta;
pub(crate) mod numgen;
pub(crate) mod osf;
pub(crate) mod payload;
pub(crate) mod rt;
pub(crate) mod socket;
pub(crate) mod xfrm;
