//! The calling thread: where it is, where it belongs, and how it enters a set and comes back.

pub mod admission;
pub mod end;
pub mod handover;
pub mod home_thread;
pub mod thread;
