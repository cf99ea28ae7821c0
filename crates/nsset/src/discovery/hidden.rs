//! What `/proc` does not show at all.

use std::{fs::File, io::Read};

use nix::{
    fcntl::OFlag,
    sys::stat::{major, minor},
};

use crate::{
    discovery::{census::Census, incomplete::What},
    kind::Kind,
    namespaces::source,
    proc,
};

/// The inode number of the first pid namespace, which is constant.
const FIRST_PID_NAMESPACE: u64 = 0xefff_fffc;

/// Notes what `/proc` does not show at all.
pub(super) fn note(census: &Census) {
    if hides_processes() {
        census.note(What::Hidepid);
    }
    if source::own_id(Kind::Pid).is_none_or(|id| id.ino != FIRST_PID_NAMESPACE) {
        census.note(What::PidNamespace);
    }
}

/// Whether the held `/proc` has the option `hidepid` (proc(5)). Its own entry is found by the device.
fn hides_processes() -> bool {
    let Some((device, _)) = proc::identify(".") else { return false };
    let Ok(mounts) = proc::open_below("thread-self/mountinfo", OFlag::O_RDONLY) else { return false };
    let mut text = String::new();
    if File::from(mounts).read_to_string(&mut text).is_err() {
        return false;
    }
    let device = format!("{}:{}", major(device), minor(device));
    text.lines()
        .filter(|line| line.split(' ').nth(2) == Some(&device))
        .any(|line| line.contains("hidepid=") && !line.contains("hidepid=0") && !line.contains("hidepid=off"))
}
