//! The helper: its program file, its steps, how it starts, and the exchange of messages with it. Also the child that does without
//! it.

pub mod ancillary;
pub mod entering_child;
pub mod idle;
pub mod image;
pub mod joining;
pub mod launch;
pub mod network_entry;
pub mod program;
pub mod shared_pid;
pub mod step_error;
pub mod supervisor;
pub mod vfork;
