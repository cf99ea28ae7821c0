//! PID 1 of a new pid namespace: it keeps the namespace usable for as long as the parent holds the other end of a socket.

use crate::{
    arguments::Arguments,
    program::{self, State},
    protocol::Saying,
    syscall::{self, CLONE_PARENT, CLONE_PIDFD, Disposition, Errno, SIGCHLD},
};

/// Starts PID 1 as a child of the helper's parent, and hands its pidfd over. The steps that follow are PID 1's.
pub fn start(arguments: &mut Arguments, state: &mut State) -> Result<(), Errno> {
    let line = arguments.fd()?;
    let steps = arguments.number()?;
    let words = arguments.number()?;
    let mut pidfd = -1;
    if syscall::fork(CLONE_PARENT | CLONE_PIDFD, &mut pidfd)? == 0 {
        serve(line, steps, arguments, state);
    }
    state.report.say(Saying::InitStarted, 0, &[pidfd])?;
    syscall::close(pidfd);
    syscall::close(line);
    for _ in 0..words {
        arguments.text()?;
    }
    state.report.step += steps as u32;
    Ok(())
}

/// Does PID 1's share of the program, keeps one end of the socket and nothing else, and waits for its end.
fn serve(line: i32, steps: usize, arguments: &mut Arguments, state: &mut State) -> ! {
    for _ in 0..steps {
        state.report.step += 1;
        let outcome = arguments.text().and_then(|word| program::step(word.to_bytes(), arguments, state));
        if let Err(errno) = outcome {
            state.report.fail(errno);
        }
    }
    if let Err(errno) = settle(line, arguments, state) {
        state.report.fail(errno);
    }
    while matches!(syscall::read(0, &mut [0; 8]), Ok(1..)) {}
    syscall::exit(0)
}

fn settle(line: i32, arguments: &mut Arguments, state: &State) -> Result<(), Errno> {
    // A parent that ignores SIGCHLD has its children reaped by the kernel (wait(2)): orphans need no loop here.
    syscall::set_disposition(SIGCHLD, Disposition::Ignore)?;
    syscall::chdir(c"/")?;
    syscall::duplicate_to(line, 0)?;
    syscall::set_name(c"nsset-init")?;
    // Everybody inside may read it, and it names paths of the outside.
    arguments.wipe();
    state.report.say(Saying::InitReady, 0, &[])?;
    syscall::close_range(1, u32::MAX).map(drop)
}
