//! The ids of the program inside a user namespace, if the caller chose none.

use core::ffi::CStr;

use crate::{
    arguments::decimal,
    ids::credentials,
    state::State,
    syscall::{self, Errno, O_RDONLY},
};

/// What the kernel returns for an id that is not mapped in the user namespace (user_namespaces(7)).
const OVERFLOW_ID: usize = 65534;

/// Keeps the caller's group if it is mapped inside; otherwise changes to 0, as nsenter(1) does. It is an error if there
/// is a map and neither is in it: an unmapped caller would keep its rights outside.
pub fn become_mapped_group(state: &State) -> Result<(), Errno> {
    if syscall::getgid() != OVERFLOW_ID || is_mapped(state.proc, c"self/gid_map", state.caller().gid) {
        return Ok(());
    }
    credentials::drop_groups()?;
    credentials::set_gid(0).or_else(|errno| unless_empty(state.proc, c"self/gid_map", errno))
}

/// The same for the user. Has to follow the group, because a user other than 0 may not change the group.
pub fn become_mapped_user(state: &State) -> Result<(), Errno> {
    if syscall::getuid() != OVERFLOW_ID || is_mapped(state.proc, c"self/uid_map", state.caller().uid) {
        return Ok(());
    }
    credentials::drop_groups()?;
    credentials::set_uid(0).or_else(|errno| unless_empty(state.proc, c"self/uid_map", errno))
}

/// A namespace without mappings is used with unmapped ids (`unshare --user`).
fn unless_empty(proc: i32, map: &CStr, errno: Errno) -> Result<(), Errno> {
    let fd = syscall::open(proc, map, O_RDONLY)?;
    let length = syscall::read(fd, &mut [0]);
    syscall::close(fd);
    if length? == 0 { Ok(()) } else { Err(errno) }
}

/// Whether the overflow id is the mapping of this id, by a line of the map that has both.
fn is_mapped(proc: i32, map: &CStr, id: usize) -> bool {
    let Ok(fd) = syscall::open(proc, map, O_RDONLY) else { return false };
    let mut text = [0u8; 4096];
    let mut length = 0;
    while let Ok(count @ 1..) = syscall::read(fd, text.get_mut(length..).unwrap_or(&mut [])) {
        length += count;
    }
    syscall::close(fd);
    text.get(..length).unwrap_or(&[]).split(|byte| *byte == b'\n').any(|line| takes_overflow_id_to(line, id))
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
