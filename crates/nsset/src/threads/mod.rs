//! The calling thread: where it is, where it belongs, and how it enters a set and comes back.

pub mod admission;
pub mod footprint;
pub mod home;
pub mod thread;
pub mod unshare_on_thread;
