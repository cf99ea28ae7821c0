//! Mounts and names in the file system, by descriptor.

pub mod by_descriptor;
pub mod contents;
pub mod entry;
pub mod mount;
pub mod mount_spec;
pub mod mount_tree;
pub mod netns;
pub mod real_path;
pub mod view;
pub mod walk;
