//! The native part of sets: creates, holds and enters namespaces.

pub mod canceller;
pub mod fd_set;
pub mod mount;
pub mod namespaces;
pub mod netns;
pub mod outside;
pub mod real_paths;
pub mod references;
pub mod set;
pub mod unshare;
pub mod unshare_below;
pub mod visit;
pub mod work;
pub mod worker;
