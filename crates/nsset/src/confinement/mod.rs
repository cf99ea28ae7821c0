//! What a program may do: its limits, its capabilities, its system calls and its files.

pub mod capabilities;
mod instructions;
pub mod landlock;
pub mod limits;
mod numbers;
pub mod order;
pub mod system_call_filter;
pub mod system_call_names;
