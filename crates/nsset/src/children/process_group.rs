//! The process group that a helper leads while others are born of it.
//!
//! Who is born there is our child from the start (`CLONE_PARENT`), and may be killed or stopped before it could say so. All
//! of them are in the helper's group, so that the kernel finds them: it takes no descriptor, no `/proc` and no pid.

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

/// How long a look at children that are ending is put off.
const POLL_INTERVAL: Duration = Duration::from_micros(500);

/// A helper's group, which has the helper's pid for its number. The kernel gives that number to no other process or group
/// while a member of it has not been reaped, and in its own turn only after all others.
#[derive(Clone, Copy, Debug)]
pub struct ProcessGroup(Pid);

impl ProcessGroup {
    pub const fn led_by(helper: i32) -> Self {
        Self(Pid::from_raw(helper))
    }

    /// Signals every member. After SIGKILL no process is born in it any more: clone(2) fails with the signal pending.
    pub fn signal(self, signal: Signal) {
        let _ = kill(Pid::from_raw(-self.0.as_raw()), signal);
    }

    /// Sets a member going that was stopped since the last look; whether there was one.
    pub fn continue_stopped(self) -> bool {
        continue_if_stopped(Id::PGid(self.0))
    }

    /// Reaps every member of it that is our child, for as long as this; whether none is left.
    pub fn reap(self, limit: Duration) -> bool {
        reap_all(|| Id::PGid(self.0), limit)
    }
}

/// Kills and reaps one child by its number, which is its own for as long as it has not been reaped.
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
            // One was reaped (of a signal that nix has no name for, it says EINVAL), or a signal came between.
            _ => {}
        }
    }
}

/// Sets one of these children going again, where one was stopped since the last look; whether one was.
pub fn continue_if_stopped(children: Id<'_>) -> bool {
    let flags = WaitPidFlag::WSTOPPED | WaitPidFlag::WNOHANG | WaitPidFlag::__WALL;
    let Ok(WaitStatus::Stopped(pid, _)) = waitid(children, flags) else { return false };
    // It is our child, and no other code reaps it meanwhile: the number is its own.
    let _ = kill(pid, Signal::SIGCONT);
    true
}

/// Whether this is a child of ours that has not been reaped.
pub fn is_child(pid: i32) -> bool {
    let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT | WaitPidFlag::__WALL;
    waitid(Id::Pid(Pid::from_raw(pid)), flags) != Err(Errno::ECHILD)
}

/// Whether [`join_ours`] can bring a child back: our own group has a number here. One that was made outside of our pid
/// namespace has none.
pub fn is_ours_visible() -> bool {
    getpgrp().as_raw() != 0
}

/// Brings a child that has not exec'd yet into our own group, where terminals and shells expect it.
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
    fn a_stopped_member_is_set_going_once() {
        let leader = Command::new("sleep").arg("60").process_group(0).spawn().unwrap().id() as i32;
        let group = ProcessGroup::led_by(leader);
        assert!(!group.continue_stopped());
        group.signal(Signal::SIGSTOP);
        let deadline = Instant::now() + Duration::from_secs(5);
        while !group.continue_stopped() {
            assert!(Instant::now() < deadline, "nobody was stopped");
            sleep(POLL_INTERVAL);
        }
        assert!(!group.continue_stopped());
        assert!(kill_child(leader, Duration::from_secs(5)));
    }
}
