//! Namespaces, sets of them, and how they are opened.

pub mod file_handle;
pub mod ioctl;
pub mod namespace;
pub mod netns_directory;
pub mod ns_link;
pub mod of_process;
pub mod set;
pub mod source;
