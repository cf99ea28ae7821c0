//! The state that the steps of a program share.

use crate::{
    protocol::{About, CONTROL_FD},
    report::Report,
    syscall,
};

/// The ids of the caller in its own user namespace.
#[derive(Clone, Copy)]
pub struct Ids {
    pub uid: usize,
    pub gid: usize,
}

impl Ids {
    fn own() -> Self {
        Self { uid: syscall::getuid(), gid: syscall::getgid() }
    }
}

/// An overlay file system that is being made.
pub struct Overlay {
    pub fs: i32,
    /// The numbers of open lower layers, with a colon after each, for kernels that take them all at once.
    pub lowers: [u8; 255],
    pub length: usize,
}

/// The ends of the helper and of PID 1. Each closes the end of the other, so that it notices the other's end.
#[derive(Clone, Copy)]
pub struct NetworkPair {
    pub helper: i32,
    pub init: i32,
}

pub struct State {
    pub report: Report,
    /// `/proc`, after the step `proc`.
    pub proc: i32,
    /// `/proc/self/timens_offsets`, after the step `open-offsets`.
    pub offsets: i32,
    /// Below which targets of mounts are resolved; `None` is the root directory.
    pub root: Option<i32>,
    /// Whether that is left out of copies of mounts.
    pub is_root_unbindable: bool,
    /// Whether something is mounted on the helper's own root directory.
    pub is_root_covered: bool,
    /// Whether the kernel refused the mount namespace of `own-mounts`.
    pub is_without_own_mounts: bool,
    /// The overlay file system that is being made.
    pub overlay: Option<Overlay>,
    /// The empty directory that the first `mask` of a directory has mounted.
    pub empty_directory: Option<i32>,
    /// After the step `network-pair`.
    pub network_pair: Option<NetworkPair>,
    /// The user namespace that `nest-user` made.
    pub nested_user: i32,
    caller: Option<Ids>,
    /// The ruleset of Landlock, after the step `landlock`.
    pub ruleset: i32,
    pub environment: *const *const u8,
}

impl State {
    pub fn new(environment: *const *const u8) -> Self {
        let report = Report { control: CONTROL_FD, step: 0, about: About::Target, file_system: None };
        Self {
            report,
            proc: -1,
            offsets: -1,
            root: None,
            is_root_unbindable: false,
            is_root_covered: false,
            is_without_own_mounts: false,
            overlay: None,
            empty_directory: None,
            network_pair: None,
            nested_user: -1,
            caller: None,
            ruleset: -1,
            environment,
        }
    }

    /// Has to be called before a user namespace is joined, in which the caller may have another id.
    pub fn remember_caller(&mut self) {
        self.caller.get_or_insert_with(Ids::own);
    }

    /// The ids of the caller in its own user namespace.
    pub fn caller(&self) -> Ids {
        self.caller.unwrap_or_else(Ids::own)
    }
}
