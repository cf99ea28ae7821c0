//! What the helper and its parent share: the protocol, the system calls, and what a child of the parent's does that shares its
//! memory. The program of the helper is `main.rs`, which `crates/nsset` compiles and embeds.
#![allow(clippy::indexing_slicing, reason = "what is indexed is as long as the constants say")]
#![no_std]

#[allow(dead_code, reason = "the helper alone wipes its words")]
mod arguments;
pub mod entering_child;
pub mod loopback;
mod process;
pub mod protocol;
pub mod syscall;
