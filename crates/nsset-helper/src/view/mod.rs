//! The view of the file system: mounts, the root directory, and the sysfs of the network.

pub mod mount_info;
pub mod mounts;
pub mod own_mounts;
pub mod sysfs;
