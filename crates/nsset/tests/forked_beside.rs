//! Processes that other threads fork hold copies of all descriptors until they execute a program, as the children of
//! Node.js do. These copies delay no call.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unreachable,
    clippy::unwrap_used
)]

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use nix::unistd::geteuid;
use nsset::{Kind, Kinds, MapUser, UnshareOptions, unshare};

/// The number of processes that are forked, one per millisecond.
const FORKS: usize = 400;

/// How long each of them keeps its copies, in nanoseconds: longer than a call needs to notice that its helper has
/// ended.
const KEPT: i64 = 400_000_000;

#[test]
fn a_copy_of_the_helpers_socket_neither_fails_nor_delays_a_call() {
    let options = UnshareOptions { map_user: Some(MapUser::Root), ..UnshareOptions::default() };
    make_many(Kinds::NONE.with(Kind::User).with(Kind::Uts), &options);
}

#[test]
fn a_fork_while_the_home_thread_is_inside_neither_fails_nor_delays_a_call() {
    if !geteuid().is_root() {
        eprintln!("skipped: needs root, who alone makes namespaces without a user namespace");
        return;
    }
    make_many(Kinds::NONE.with(Kind::Ipc).with(Kind::Uts), &UnshareOptions::default());
}

/// Makes namespaces while other threads fork.
fn make_many(kinds: Kinds, options: &UnshareOptions) {
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            fork_many();
            is_done.store(true, Ordering::Relaxed);
        });
        let mut longest = Duration::ZERO;
        while !is_done.load(Ordering::Relaxed) {
            let begun = Instant::now();
            let set = unshare(None, kinds, options, None).unwrap();
            longest = longest.max(begun.elapsed());
            assert!(set.find(Kind::Uts).is_some());
        }
        // No call waits until the copies are closed.
        assert!(longest < Duration::from_nanos(KEPT as u64), "a call took {longest:?}");
    });
}

fn fork_many() {
    let children: Vec<i32> = (0..FORKS)
        .map(|_| {
            thread::sleep(Duration::from_millis(1));
            // SAFETY: the child makes two raw system calls, which are safe after a fork of many threads.
            unsafe { fork_and_hold() }
        })
        .collect();
    for pid in children {
        let mut status = 0;
        // SAFETY: `status` lives longer than the call. The children are this function's own.
        assert_eq!(unsafe { libc::waitpid(pid, &raw mut status, 0) }, pid);
    }
}

/// # Safety
/// The child may call only async-signal-safe functions (signal-safety(7)).
unsafe fn fork_and_hold() -> i32 {
    // SAFETY: see above.
    match unsafe { libc::fork() } {
        0 => {
            let kept = libc::timespec { tv_sec: 0, tv_nsec: KEPT };
            // SAFETY: nanosleep(2) and _exit(2) of a process that does nothing else.
            unsafe {
                libc::syscall(libc::SYS_nanosleep, &raw const kept, std::ptr::null_mut::<libc::timespec>());
                libc::_exit(0)
            }
        }
        pid => pid,
    }
}
