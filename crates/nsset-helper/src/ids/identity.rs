//! The ids of the program inside a user namespace, where the caller chose none.

use core::ffi::CStr;

use crate::{
    arguments::decimal,
    ids::credentials,
    state::State,
    syscall::{self, Errno, O_RDONLY},
};

/// What the kernel answers for an id that has no name in the user namespace (user_namespaces(7)).
const OVERFLOW_ID: usize = 65534;

/// Keeps the caller's group where it has a name inside; else becomes 0, as nsenter(1) does. Where there is a map without
/// either, that is an error: a caller without a name would keep what it may do outside.
pub fn become_mapped_group(state: &State) -> Result<(), Errno> {
    if syscall::getgid() != OVERFLOW_ID || is_mapped(state.proc, c"self/gid_map", state.caller().gid) {
        return Ok(());
    }
    credentials::drop_groups()?;
    credentials::set_gid(0).or_else(|errno| unless_empty(state.proc, c"self/gid_map", errno))
}

/// The same for the user, after the group: who is no longer 0 may not change it.
pub fn become_mapped_user(state: &State) -> Result<(), Errno> {
    if syscall::getuid() != OVERFLOW_ID || is_mapped(state.proc, c"self/uid_map", state.caller().uid) {
        return Ok(());
    }
    credentials::drop_groups()?;
    credentials::set_uid(0).or_else(|errno| unless_empty(state.proc, c"self/uid_map", errno))
}

/// In a namespace without mappings every id is unmapped, and it is used so (`unshare --user`).
fn unless_empty(proc: i32, map: &CStr, errno: Errno) -> Result<(), Errno> {
    let fd = syscall::open(proc, map, O_RDONLY)?;
    let length = syscall::read(fd, &mut [0]);
    syscall::close(fd);
    if length? == 0 { Ok(()) } else { Err(errno) }
}

/// Whether the overflow id is the name of this id: a line of the map takes the one to the other.
fn is_mapped(proc: i32, map: &CStr, id: usize) -> bool {
    let Ok(fd) = syscall::open(proc, map, O_RDONLY) else { return false };
    let mut text = [0u8; 4096];
    let mut length = 0;
    while let Ok(count @ 1..) = syscall::read(fd, &mut text[length..]) {
        length += count;
    }
    syscall::close(fd);
    text[..length].split(|byte| *byte == b'\n').any(|line| takes_overflow_id_to(line, id))
}

/// A line is `INSIDE OUTSIDE COUNT`, padded with spaces.
fn takes_overflow_id_to(line: &[u8], id: usize) -> bool {
    let mut numbers = line.split(|byte| *byte == b' ').filter_map(decimal);
    let (Some(inside), Some(outside), Some(count)) = (numbers.next(), numbers.next(), numbers.next()) else {
        return false;
    };
    match OVERFLOW_ID.checked_sub(inside) {
        Some(offset) => offset < count && outside.saturating_add(offset) == id,
        None => false,
    }
}
