//! Threads: how the calling thread enters a set and returns, and the threads that do this for others.

pub mod admission;
pub mod end;
pub mod handover;
pub mod home_thread;
pub mod placement;
pub mod rights;
pub mod thread;
