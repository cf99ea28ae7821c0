//! The expressions of nf_tables, of which the kernel makes rules: instructions for registers. `data` and `field` are what they are
//! written with.

pub(crate) mod action;
pub(crate) mod data;
pub(crate) mod field;
pub(crate) mod list;
pub(crate) mod load;
pub(crate) mod test;
pub(crate) mod translation;

pub(crate) use data::Data;
pub(crate) use list::Expression;
