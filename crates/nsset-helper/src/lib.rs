//! The code that the helper and its parent share: the protocol, the system calls, and the steps of a child that shares
//! the memory of the parent. The program of the helper is `main.rs`, which `crates/nsset` compiles and embeds.
#![allow(clippy::indexing_slicing, reason = "every index is below a constant length")]
#![no_std]

#[allow(dead_code, reason = "the helper alone wipes its words")]
mod arguments;
pub mod entering_child;
pub mod loopback;
mod process;
pub mod protocol;
pub mod syscall;
