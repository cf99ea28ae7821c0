//! Which capabilities the calling thread has: capabilities(7).

use std::{fs::File, io};

use nix::fcntl::OFlag;

use crate::proc;

#[derive(Clone, Copy, Debug)]
#[repr(u8)]
pub enum Capability {
    SetGid = 6,
    SetUid = 7,
}

/// Whether the calling thread has the capability in effect, in its own user namespace.
pub fn has(capability: Capability) -> bool {
    let Ok(file) = proc::open_below("thread-self/status", OFlag::O_RDONLY) else { return false };
    let Ok(status) = io::read_to_string(File::from(file)) else { return false };
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    effective
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask & (1 << capability as u8) != 0)
}
