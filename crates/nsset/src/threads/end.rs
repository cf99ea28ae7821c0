//! Waits for the end of threads, which the kernel still lists for a moment after they were joined.

use std::{
    thread,
    time::{Duration, Instant},
};

use nix::unistd::{Pid, getpid};

/// How long the kernel may take to remove a thread that has ended.
const PATIENCE: Duration = Duration::from_millis(200);

/// Waits until the kernel has removed these threads of the process, which have ended or are about to. Until then they
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
    // SAFETY: plain numbers; signal 0 only checks whether the thread exists.
    unsafe { libc::syscall(libc::SYS_tgkill, getpid().as_raw(), thread.as_raw(), 0) == 0 }
}
