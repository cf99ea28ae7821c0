//! Whether a tracer keeps a child of this process stopped (ptrace(2)).
//!
//! waitid(2) reports such a stop to the tracer alone, and SIGCONT does not end it. The state of the process in `/proc`
//! shows it. That takes two files to read, which is too slow for each check, and does not work for every process if
//! `/proc` is mounted with `hidepid` (proc(5)).

use std::os::fd::{AsRawFd, BorrowedFd};

use crate::proc;

/// Whether its tracer keeps it stopped at this moment, as far as `/proc` shows.
pub fn is_kept(child: BorrowedFd<'_>) -> bool {
    let stat = number(child).and_then(|pid| proc::read_below(&format!("{pid}/stat")));
    stat.as_deref().and_then(state) == Some('t')
}

/// The pid of the process in the `/proc` that nsset holds, which may be that of an outer pid namespace.
fn number(pidfd: BorrowedFd<'_>) -> Option<u32> {
    let info = proc::read_below(&format!("thread-self/fdinfo/{}", pidfd.as_raw_fd()))?;
    let pid = info.lines().find_map(|line| line.strip_prefix("Pid:"))?;
    // The pid is 0 for a process that has none there, and -1 for one that was reaped.
    pid.trim().parse().ok().filter(|pid| *pid > 0)
}

/// The third field of proc_pid_stat(5). The second one, the name, may contain any character.
fn state(stat: &str) -> Option<char> {
    stat.rsplit_once(") ")?.1.chars().next()
}

#[cfg(test)]
mod tests {
    use std::{
        os::fd::AsFd,
        process::Command,
        thread::sleep,
        time::{Duration, Instant},
    };

    use super::*;
    use crate::{children::pidfd, children::process_group};

    #[test]
    fn the_state_comes_after_a_name_of_any_kind() {
        assert_eq!(state("7 (a) t (b) S 1 7"), Some('S'));
        assert_eq!(state("7 (sh) t 1 7"), Some('t'));
        assert_eq!(state("7"), None);
    }

    #[test]
    fn a_process_that_is_stopped_by_a_signal_is_not_kept_by_a_tracer() {
        let pid = Command::new("sleep").arg("60").spawn().unwrap().id() as i32;
        let child = pidfd::open(pid).unwrap();
        assert_eq!(number(child.as_fd()), Some(pid as u32));
        pidfd::kill(&child, nix::sys::signal::Signal::SIGSTOP);
        let deadline = Instant::now() + Duration::from_secs(5);
        while proc::read_below(&format!("{pid}/stat")).as_deref().and_then(state) != Some('T') {
            assert!(Instant::now() < deadline, "it was not stopped");
            sleep(Duration::from_millis(1));
        }
        assert!(!is_kept(child.as_fd()));
        assert!(process_group::kill_child(pid, Duration::from_secs(5)));
        assert!(!is_kept(child.as_fd()));
    }
}
