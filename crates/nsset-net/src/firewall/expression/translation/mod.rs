//! Expressions that change addresses, one in each file.

pub(crate) mod masq;
pub(crate) mod nat;
pub(crate) mod redir;
pub(crate) mod tproxy;
