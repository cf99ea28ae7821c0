//! What the program that is executed may do: its limits, its capabilities, its system calls and its files.

pub mod attributes;
pub mod capabilities;
pub mod landlock;
pub mod limits;
pub mod seccomp;
