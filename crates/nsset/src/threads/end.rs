//! The end of a thread, of which the kernel goes on to tell for some moments after it was joined.

use std::{
    thread,
    time::{Duration, Instant},
};

use nix::unistd::{Pid, getpid};

/// How long the kernel may take to count off a thread that has ended.
const PATIENCE: Duration = Duration::from_millis(200);

/// Waits until the kernel has counted off these threads of the process, which have ended or are about to: until then they
/// hold their namespaces, and count against limits.
pub fn await_end(threads: &[Pid]) {
    let deadline = Instant::now() + PATIENCE;
    for thread in threads {
        while exists(*thread) && Instant::now() < deadline {
            thread::yield_now();
        }
    }
}

fn exists(thread: Pid) -> bool {
    // SAFETY: numbers only; signal 0 asks and does nothing.
    unsafe { libc::syscall(libc::SYS_tgkill, getpid().as_raw(), thread.as_raw(), 0) == 0 }
}
