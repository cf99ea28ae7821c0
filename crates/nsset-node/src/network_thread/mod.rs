//! The thread of networks, which runs the requests of all networks, and the threads for work that waits for processes inside a
//! set.

pub mod abandonment;
pub mod failure;
pub mod thread;
pub mod turns;
pub mod waiting;
