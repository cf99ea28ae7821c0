//! The helper: its program file, its steps, how it starts, and the conversation with it.

pub mod borrowed_memory;
pub mod child_pid;
pub mod conversation;
pub mod entering;
pub mod idle;
pub mod image;
pub mod inside;
pub mod launch;
pub mod plan;
pub mod program;
pub mod rights;
pub mod step_error;
pub mod view_steps;
