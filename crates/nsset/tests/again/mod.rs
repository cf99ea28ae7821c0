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

/// The open descriptors of the process, and its children.
pub fn possessions() -> (usize, String) {
    let descriptors = fs::read_dir("/proc/self/fd").unwrap().count() - 1;
    let tasks = fs::read_dir("/proc/self/task").unwrap().flatten();
    let children = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok()).collect();
    (descriptors, children)
}

/// Waits for the reaper until only the resources from before are left.
pub fn expect_possessions(before: &(usize, String)) {
    let deadline = Instant::now() + Duration::from_secs(5);
    while possessions() != *before && Instant::now() < deadline {
        sleep(Duration::from_millis(1));
    }
    assert_eq!(possessions(), *before);
}
