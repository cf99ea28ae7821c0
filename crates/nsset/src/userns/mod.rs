//! User namespaces: id mappings, subordinate ids and capabilities.

pub mod capability;
pub mod map_writer;
pub mod subordinate_ids;
