//! What the programs and processes keep that a helper becomes or starts: limits, priorities, cgroups.

use libc::c_int;
use nix::errno::Errno;

use crate::{proc, threads::surroundings::rights::attribute};

/// The lines of `/proc/PID/status` that a process inherits: proc_pid_status(5).
const INHERITED: [&str; 10] = [
    "CapBnd:",
    "CapAmb:",
    "Cpus_allowed:",
    "Mems_allowed:",
    "NSpgid:",
    "NSsid:",
    "Seccomp_filters:",
    "SpeculationIndirectBranch:",
    "Speculation_Store_Bypass:",
    "THP_enabled:",
];

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lasting {
    status: Vec<String>,
    scheduling: Scheduling,
    io_priority: i64,
    timer_slack: c_int,
    personality: c_int,
    /// The contents of [`FILES`].
    files: [String; FILES.len()],
}

/// The limits of getrlimit(2), the cgroups, and what the kernel does when the memory is exhausted or a process crashes.
const FILES: [&str; 4] =
    ["thread-self/limits", "thread-self/cgroup", "thread-self/oom_score_adj", "self/coredump_filter"];

/// The policy, the priorities and the utilization of sched_getattr(2), as the kernel lays them out.
type Scheduling = [u32; 14];

impl Lasting {
    pub fn here() -> Option<Self> {
        let status = proc::read_below("thread-self/status")?;
        let status = status.lines().filter(|line| INHERITED.iter().any(|name| line.starts_with(name)));
        Some(Self {
            status: status.map(str::to_owned).collect(),
            scheduling: scheduling()?,
            io_priority: io_priority(),
            timer_slack: attribute(libc::PR_GET_TIMERSLACK),
            personality: personality(),
            files: files()?,
        })
    }
}

fn files() -> Option<[String; FILES.len()]> {
    let mut files = FILES.map(|_| String::new());
    for (text, path) in files.iter_mut().zip(FILES) {
        *text = proc::read_below(path)?;
    }
    Some(files)
}

fn scheduling() -> Option<Scheduling> {
    let mut attributes = Scheduling::default();
    // SAFETY: the kernel writes at most the size that it is given; 0 is the calling thread.
    let read =
        unsafe { libc::syscall(libc::SYS_sched_getattr, 0, attributes.as_mut_ptr(), size_of::<Scheduling>(), 0) };
    Errno::result(read).ok()?;
    Some(attributes)
}

fn io_priority() -> i64 {
    const IOPRIO_WHO_PROCESS: c_int = 1;
    // SAFETY: plain numbers; 0 is the calling thread.
    unsafe { libc::syscall(libc::SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0) }
}

fn personality() -> c_int {
    const UNCHANGED: libc::c_ulong = 0xffff_ffff;
    // SAFETY: a plain number.
    unsafe { libc::personality(UNCHANGED) }
}
