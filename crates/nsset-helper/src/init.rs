//! PID 1 of a new pid namespace. It keeps the namespace usable for as long as the parent holds the other end of a
//! socket.

use crate::{
    arguments::Arguments,
    protocol::MessageKind,
    report::Report,
    syscall::{self, CLONE_PARENT, Disposition, Errno, SIGCHLD},
};

/// Starts PID 1 as a child of the helper's parent, to which it announces itself. Returns whether this process is PID 1.
/// PID 1 waits for the answer only when its steps are done, so that the parent takes note of it meanwhile.
pub fn fork(report: Report) -> Result<bool, Errno> {
    if syscall::fork(CLONE_PARENT)? != 0 {
        return Ok(false);
    }
    report.send(MessageKind::InitForked, 0, &[])?;
    Ok(true)
}

/// Keeps only one end of the socket, and waits until the other end is closed.
pub fn serve(line: i32, arguments: &mut Arguments, report: Report) -> ! {
    if let Err(errno) = settle(line, arguments, report) {
        report.fail(errno);
    }
    while matches!(syscall::read(0, &mut [0; 8]), Ok(1..)) {}
    syscall::exit(0)
}

fn settle(line: i32, arguments: &mut Arguments, report: Report) -> Result<(), Errno> {
    // A parent that ignores SIGCHLD has its children reaped by the kernel (wait(2)): orphans need no loop here.
    syscall::set_disposition(SIGCHLD, Disposition::Ignore)?;
    syscall::chdir(c"/")?;
    syscall::duplicate_to(line, 0)?;
    syscall::set_name(c"nsset-init")?;
    // The words contain paths of the outside, and this process remains as long as the namespace.
    arguments.wipe();
    report.wait_for_reply()?;
    report.send(MessageKind::InitReady, 0, &[])?;
    syscall::close_range(1, u32::MAX).map(drop)
}
