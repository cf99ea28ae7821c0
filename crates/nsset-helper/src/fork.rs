//! Continues in a child of the helper's parent, which can be in another pid namespace and in another control group.

use crate::{
    arguments::Arguments,
    protocol::{About, MessageKind},
    report,
    state::State,
    syscall::{self, CLONE_PARENT, EAGAIN, ENOMEM, Errno},
};

/// A control group: its directory, and its file `cgroup.procs`, which the parent has opened.
#[derive(Clone, Copy)]
struct Group {
    directory: i32,
    procs: i32,
}

/// Continues in a sibling, so that the parent reaps it. The sibling announces itself; the helper ends.
pub fn fork(arguments: &mut Arguments, state: &mut State) -> Result<(), Errno> {
    let place = match arguments.optional_fd()? {
        Some(fd) => syscall::map_start(fd)?,
        None => 0,
    };
    let directory = arguments.optional_fd()?;
    let procs = arguments.optional_fd()?;
    let group = directory.zip(procs).map(|(directory, procs)| Group { directory, procs });

    let (pid, is_in_group) = make_child(place, group)?;
    if pid != 0 {
        report::leave(0);
    }
    state.report.announce(MessageKind::Forked)?;
    if let Some(group) = group {
        if !is_in_group {
            state.report.about = About::ControlGroup;
            // The kernel checks the permissions of the parent, who has opened the file.
            syscall::write(group.procs, b"0")?;
        }
        syscall::close(group.procs);
        syscall::close(group.directory);
    }
    Ok(())
}

/// Returns the result of fork(2), and whether the child is in the group. A child that is born in a group (`CLONE_INTO_CGROUP`,
/// clone(2)) is subject to its limit of processes, and needs no move. Filters of system calls may refuse clone3, and the
/// helper may have become a user who may not write to the group; then the child has to move.
fn make_child(place: usize, group: Option<Group>) -> Result<(usize, bool), Errno> {
    if let Some(group) = group {
        match syscall::fork_into(group.directory, place) {
            Ok(pid) => return Ok((pid, true)),
            // A limit of the group; a move would not be subject to it.
            Err(errno @ (EAGAIN | ENOMEM)) => return Err(errno),
            Err(_) => {}
        }
    }
    let pid = match place {
        0 => syscall::fork(CLONE_PARENT)?,
        _ => syscall::fork_with_pid_in(CLONE_PARENT, place)?,
    };
    Ok((pid, false))
}
