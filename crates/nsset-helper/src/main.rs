//! The helper: a freestanding program that joins namespaces, makes them and sets them up, and then executes a program,
//! stays as PID 1, or ends. It inherits only the descriptors that its parent passes, and its steps are in its
//! environment vector (see `protocol`).
#![allow(clippy::indexing_slicing, reason = "a process of its own: its panic is exit 101, which its parent reports")]
#![no_std]
#![no_main]

mod arguments;
mod files;
mod fork;
mod ids;
mod init;
mod loopback;
mod namespaces;
mod network;
mod network_of_init;
mod process;
mod program;
#[allow(dead_code)] // each side uses its half
mod protocol;
mod report;
mod runtime;
mod state;
mod syscall;
mod view;
