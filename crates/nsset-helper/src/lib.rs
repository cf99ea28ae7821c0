//! The protocol between the helper and its parent, for the parent. The program itself is `main.rs`, which
//! `crates/nsset` compiles and embeds.
#![no_std]

pub mod protocol;
