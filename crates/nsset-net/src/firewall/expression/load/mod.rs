//! Expressions that load a register, one in each file.

pub(crate) mod ct;
pub(crate) mod fib;
pub(crate) mod immediate;
pub(crate) mod meta;
pub(crate) mod payload;
