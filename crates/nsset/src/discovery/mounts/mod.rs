//! The namespaces that are mounted somewhere.

mod mount_list;
pub(super) mod mountinfo;
pub(super) mod visitor;
pub(super) mod walk;
