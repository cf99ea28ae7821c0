//! The view of the file system: mounts, the root directory, and the sysfs of the network.

pub mod content;
pub mod devices;
pub mod mask;
pub mod mount_info;
pub mod mounts;
pub mod mounts_on;
pub mod new_file_system;
pub mod overlay;
pub mod own_file_systems;
pub mod own_mounts;
pub mod sysfs;
pub mod targets;
