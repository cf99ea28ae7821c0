//! Joins namespaces, and sends the namespaces of the helper to its parent.

use crate::{
    arguments::Arguments,
    protocol::{MAX_FDS_PER_MESSAGE, MessageKind},
    state::State,
    syscall::{self, CLONE_NEWUSER, EINVAL, Errno, O_DIRECTORY, O_PATH, O_RDONLY},
};

/// Joins the namespace and closes its descriptor.
pub fn join(fd: i32, flag: usize, state: &mut State) -> Result<(), Errno> {
    if flag == CLONE_NEWUSER {
        state.remember_caller();
    }
    syscall::setns(fd, flag)?;
    syscall::close(fd);
    if flag == CLONE_NEWUSER {
        // New credentials reset it to fs.suid_dumpable, which a machine may have set to 1 (prctl(2)).
        syscall::set_undumpable()?;
    }
    Ok(())
}

/// Opens the helper's own `ns` files and sends them. Only the helper may open them, because it is undumpable.
pub fn send(arguments: &mut Arguments, state: &State) -> Result<(), Errno> {
    let count = arguments.number()?;
    if count > MAX_FDS_PER_MESSAGE {
        return Err(EINVAL);
    }
    let directory = syscall::open(state.proc, c"self/ns", O_PATH | O_DIRECTORY)?;
    let mut fds = [0; MAX_FDS_PER_MESSAGE];
    for fd in &mut fds[..count] {
        *fd = syscall::open(directory, arguments.text()?, O_RDONLY)?;
    }
    state.report.send(MessageKind::Namespaces, 0, &fds[..count])
}
