//! The process group that a helper leads, and that its children are in.
//!
//! A child of the helper is our child from the start (`CLONE_PARENT`). Another process may kill or stop it before it
//! announces itself. The kernel finds it by its group, for which nsset needs no descriptor, no `/proc` and no pid.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    sys::{
        signal::{Signal, kill},
        wait::{Id, WaitPidFlag, WaitStatus, waitid},
    },
    unistd::{Pid, getpgrp, setpgid},
};

/// The interval at which ending children are checked.
const POLL_INTERVAL: Duration = Duration::from_micros(500);

/// The process group of a helper, whose number is the pid of the helper. The kernel does not reuse that number while a
/// member has not been reaped, and after that only when all other numbers have been used.
#[derive(Clone, Copy, Debug)]
pub struct ProcessGroup(Pid);

impl ProcessGroup {
    pub const fn led_by(helper: i32) -> Self {
        Self(Pid::from_raw(helper))
    }

    /// Signals every member. After SIGKILL no process can be created in the group: clone(2) fails with the signal
    /// pending.
    pub fn signal(self, signal: Signal) {
        let _ = kill(Pid::from_raw(-self.0.as_raw()), signal);
    }

    /// Continues a member that was stopped since the last call. Returns whether there was one.
    pub fn continue_stopped(self) -> bool {
        continue_if_stopped(Id::PGid(self.0))
    }

    /// Reaps every member that is our child, for at most this long. Returns whether none is left.
    pub fn reap(self, limit: Duration) -> bool {
        reap_all(|| Id::PGid(self.0), limit)
    }
}

/// Kills and reaps one child by its pid, which is not reused before it has been reaped.
pub fn kill_child(pid: i32, limit: Duration) -> bool {
    let pid = Pid::from_raw(pid);
    let _ = kill(pid, Signal::SIGKILL);
    reap_all(|| Id::Pid(pid), limit)
}

fn reap_all<'a>(children: impl Fn() -> Id<'a>, limit: Duration) -> bool {
    let deadline = Instant::now() + limit;
    loop {
        match waitid(children(), WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::__WALL) {
            Err(Errno::ECHILD) => return true,
            Ok(WaitStatus::StillAlive) if Instant::now() >= deadline => return false,
            Ok(WaitStatus::StillAlive) => sleep(POLL_INTERVAL),
            // One was reaped (EINVAL: it was killed by a signal that nix does not know), or a signal interrupted the
            // call.
            _ => {}
        }
    }
}

/// Continues one of these children, if one was stopped since the last call. Returns whether one was.
pub fn continue_if_stopped(children: Id<'_>) -> bool {
    let flags = WaitPidFlag::WSTOPPED | WaitPidFlag::WNOHANG | WaitPidFlag::__WALL;
    let Ok(WaitStatus::Stopped(pid, _)) = waitid(children, flags) else { return false };
    // It is our child, and no other code reaps it meanwhile, so its pid is not reused.
    let _ = kill(pid, Signal::SIGCONT);
    true
}

/// Whether this is a child of ours that has not been reaped.
pub fn is_child(pid: i32) -> bool {
    let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT | WaitPidFlag::__WALL;
    waitid(Id::Pid(Pid::from_raw(pid)), flags) != Err(Errno::ECHILD)
}

/// Whether [`join_ours`] can move a child into our own group. It cannot if our group was created outside of our pid
/// namespace, where it has no number.
pub fn is_ours_visible() -> bool {
    getpgrp().as_raw() != 0
}

/// Moves a child that has not executed a program yet into our own group, where terminals and shells expect it.
pub fn join_ours(child: i32) -> Result<(), Errno> {
    setpgid(Pid::from_raw(child), getpgrp())
}

#[cfg(test)]
mod tests {
    use std::{os::unix::process::CommandExt, process::Command};

    use super::*;

    #[test]
    fn members_are_killed_and_reaped_without_a_descriptor_or_a_pid() {
        let leader = Command::new("sleep").arg("60").process_group(0).spawn().unwrap().id() as i32;
        let member = Command::new("sleep").arg("60").process_group(leader).spawn().unwrap().id() as i32;
        let stranger = Command::new("sleep").arg("60").spawn().unwrap().id() as i32;
        let group = ProcessGroup::led_by(leader);
        assert!(!group.reap(Duration::ZERO), "they are alive");
        group.signal(Signal::SIGKILL);
        assert!(group.reap(Duration::from_secs(5)));
        assert_eq!([leader, member, stranger].map(is_child), [false, false, true]);
        assert!(kill_child(stranger, Duration::from_secs(5)));
        assert!(!is_child(stranger));
    }

    #[test]
    fn a_stopped_member_is_continued_once() {
        let leader = Command::new("sleep").arg("60").process_group(0).spawn().unwrap().id() as i32;
        let group = ProcessGroup::led_by(leader);
        assert!(!group.continue_stopped());
        group.signal(Signal::SIGSTOP);
        let deadline = Instant::now() + Duration::from_secs(5);
        while !group.continue_stopped() {
            assert!(Instant::now() < deadline, "no member was stopped");
            sleep(POLL_INTERVAL);
        }
        assert!(!group.continue_stopped());
        assert!(kill_child(leader, Duration::from_secs(5)));
    }
}
