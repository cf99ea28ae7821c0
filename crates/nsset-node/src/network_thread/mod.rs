//! The thread on which all networks are worked on, the threads beside it for what waits for those inside a set, and how an
//! answer gets back to JavaScript.

pub mod abandonment;
pub mod failure;
pub mod thread;
pub mod turns;
pub mod waiting;
