//! The helper: a freestanding program that joins, makes and sets them up, and then execs, stays as PID 1, or
//! leaves. It is started with nothing of its parent's but the descriptors it is handed, and what it does is written in
//! its environment vector (see `protocol`).
#![allow(clippy::indexing_slicing, reason = "a process of its own: its panic is exit 101, which its parent tells")]
#![no_std]
#![no_main]

mod arguments;
mod files;
mod ids;
mod init;
mod loopback;
mod namespaces;
mod network;
mod process;
mod program;
#[allow(dead_code)] // each side uses its half
mod protocol;
mod report;
mod runtime;
mod state;
mod syscall;
mod view;
