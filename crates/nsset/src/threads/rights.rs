//! What decides which steps of a helper the kernel allows, and where they have effect.

use libc::c_int;
use nix::{
    errno::Errno,
    unistd::{ResGid, ResUid, getresgid, getresuid},
};
use nsset_helper::syscall;

use crate::{namespaces::namespace::NamespaceId, proc, threads::thread};

/// The credentials, filters and namespaces of a thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rights {
    uids: ResUid,
    gids: ResGid,
    groups: Vec<libc::gid_t>,
    /// The effective, permitted and inheritable ones, in two words each.
    capabilities: [[u32; 3]; 2],
    secure_bits: c_int,
    no_new_privileges: c_int,
    seccomp: Seccomp,
    namespaces: [Option<NamespaceId>; 5],
}

/// The mode, and with filters the line of `/proc/PID/status` that counts them.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seccomp {
    mode: c_int,
    count: Option<String>,
}

impl Rights {
    pub fn here() -> Option<Self> {
        let capabilities = syscall::capabilities().ok()?;
        Some(Self {
            uids: getresuid().ok()?,
            gids: getresgid().ok()?,
            groups: groups()?,
            capabilities: capabilities.map(|word| [word.effective, word.permitted, word.inheritable]),
            secure_bits: attribute(libc::PR_GET_SECUREBITS),
            no_new_privileges: attribute(libc::PR_GET_NO_NEW_PRIVS),
            seccomp: Seccomp::here()?,
            namespaces: thread::namespaces_of_children()?,
        })
    }
}

/// getgroups(2) without sysconf(3), which reads a file. `None` for more groups than there is room for.
fn groups() -> Option<Vec<libc::gid_t>> {
    const MOST: usize = 256;
    let mut groups = [0; MOST];
    // SAFETY: the kernel writes at most as many as there is room for.
    let count = Errno::result(unsafe { libc::getgroups(MOST as c_int, groups.as_mut_ptr()) }).ok()?;
    groups.get(..count as usize).map(<[_]>::to_vec)
}

impl Seccomp {
    fn here() -> Option<Self> {
        let mode = attribute(libc::PR_GET_SECCOMP);
        if mode == 0 {
            return Some(Self { mode, count: None });
        }
        let status = proc::read_below("thread-self/status")?;
        let count = status.lines().find(|line| line.starts_with("Seccomp_filters:"))?;
        Some(Self { mode, count: Some(count.to_owned()) })
    }
}

/// An attribute of the thread that prctl(2) returns.
fn attribute(option: c_int) -> c_int {
    // SAFETY: plain numbers.
    unsafe { libc::prctl(option, 0, 0, 0, 0) }
}
