//! Runs a test again in a process of its own, where it is alone or has other namespaces.
#![allow(dead_code)] // no test uses all of it

use std::{
    env, fs,
    process::Command,
    thread::sleep,
    time::{Duration, Instant},
};

const AGAIN: &str = "NSSET_TEST_AGAIN";

/// Returns `false` in the process that cargo started, after the test of this name has passed in a process that `prefix`
/// starts; returns `true` in that process, which then runs the test.
pub fn runs_again(prefix: &[&str], test: &str) -> bool {
    if env::var_os(AGAIN).is_some() {
        return true;
    }
    let mut command = Command::new("timeout");
    command.args(["--kill-after=5", "60"]).args(prefix).arg(env::current_exe().unwrap());
    let output = command.args([test, "--exact", "--nocapture"]).env(AGAIN, "1").output().unwrap();
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    false
}

/// The name of a helper that waits in a network for more to do. It ends after some seconds.
const IDLE: &str = "nsset-idle";

/// What each of these takes of this process: a socket and a pidfd.
const DESCRIPTORS_OF_IDLE: usize = 2;

/// How long a process takes at most to end, or a helper to wait.
const REST: Duration = Duration::from_millis(100);

/// The open descriptors of the process, and its children, once they stay the same. Helpers that wait are left out.
pub fn possessions() -> (usize, Vec<String>) {
    let mut before = possessions_now();
    loop {
        sleep(REST);
        let now = possessions_now();
        if now == before {
            return now;
        }
        before = now;
    }
}

fn possessions_now() -> (usize, Vec<String>) {
    let descriptors = fs::read_dir("/proc/self/fd").unwrap().count() - 1;
    let tasks = fs::read_dir("/proc/self/task").unwrap().flatten();
    let children = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    let children: Vec<_> =
        children.flat_map(|line| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).collect();
    let is_idle = |pid: &String| fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim() == IDLE);
    let (idle, others): (Vec<_>, Vec<_>) = children.into_iter().partition(is_idle);
    (descriptors - DESCRIPTORS_OF_IDLE * idle.len(), others)
}

/// Waits for the reaper until only the resources from before are left.
pub fn expect_possessions(before: &(usize, Vec<String>)) {
    let deadline = Instant::now() + Duration::from_secs(5);
    while possessions_now() != *before && Instant::now() < deadline {
        sleep(Duration::from_millis(1));
    }
    assert_eq!(possessions_now(), *before);
}
