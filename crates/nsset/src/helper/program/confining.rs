//! The steps that confine the program that is executed at the end.

use std::{borrow::Cow, ffi::CString, path::Path};

use data_encoding::HEXLOWER;
use nsset_helper::protocol::word;

use super::{Program, decimal, literal};
use crate::error::Result;

/// What the step counts the niceness from.
const LEAST_NICENESS: i32 = -20;

const NOT_BOUNDED: &str = "capabilities can be removed from the bounding set only with CAP_SETPCAP: set noNewPrivileges, \
                           with which no program gains one from there, or enter a user namespace";

impl Program<'_> {
    /// Sets the limits of a resource. A limit of `None` stays.
    pub fn limit(&mut self, resource: u32, soft: Option<u64>, hard: Option<u64>, syscall: &'static str) {
        let limit = |limit: Option<u64>| limit.map_or_else(|| literal("-"), decimal);
        self.step(word::LIMIT, syscall);
        self.operands([decimal(resource.into()), limit(soft), limit(hard)]);
    }

    pub fn umask(&mut self, mask: u32) {
        self.step(word::UMASK, "umask");
        self.operands([decimal(mask.into())]);
    }

    pub fn nice(&mut self, niceness: i32) {
        self.step(word::NICE, "setpriority").hint = Some(
            "a higher priority needs CAP_SYS_NICE in the first user namespace, or RLIMIT_NICE (getrlimit(2))".into(),
        );
        self.operands([decimal((niceness - LEAST_NICENESS) as u64)]);
    }

    /// Takes exactly these capabilities. `lacking` says which of them the caller does not have.
    pub fn capabilities(&mut self, mask: u64, is_bounding_required: bool, lacking: Option<String>) {
        self.step(word::CAPABILITIES, "capset").hint = Some(lacking.map_or(NOT_BOUNDED.into(), Cow::Owned));
        self.operands([decimal(mask), decimal(is_bounding_required.into())]);
    }

    /// Creates a ruleset of Landlock that restricts these rights.
    pub fn landlock(&mut self, files: u64, ports: u64, scopes: u64) {
        self.step(word::LANDLOCK, "landlock_create_ruleset");
        self.operands([files, ports, scopes].map(decimal));
    }

    /// Allows these rights below the path.
    pub fn landlock_path(&mut self, rights: u64, path: &Path) -> Result<()> {
        let label = self.step(word::LANDLOCK_PATH, "landlock_add_rule");
        label.path = Some(path.into());
        label.hint = Some("each path in the rules of Landlock has to exist inside".into());
        self.operands([decimal(rights)]);
        self.operand(path)
    }

    pub fn landlock_port(&mut self, rights: u64, port: u16) {
        self.step(word::LANDLOCK_PORT, "landlock_add_rule");
        self.operands([rights, port.into()].map(decimal));
    }

    pub fn landlock_restrict(&mut self) {
        self.step(word::LANDLOCK_RESTRICT, "landlock_restrict_self").hint =
            Some("a program can be restricted by sixteen rulesets at most (landlock(7))".into());
    }

    /// Gives the signals the state that a new program expects.
    pub fn reset_signals(&mut self) {
        self.step(word::SIGNALS, "rt_sigprocmask");
    }

    /// Fails as the exec of this file will, if it is missing or not executable.
    pub fn find(&mut self, file: CString) {
        self.step(word::FIND, "spawn");
        self.operands([file]);
    }

    /// Installs a filter of system calls. Has to come directly before the exec.
    pub fn seccomp(&mut self, filter: &[u8]) {
        self.step(word::SECCOMP, "seccomp").hint =
            Some("the kernel does not accept this program as a filter (seccomp(2))".into());
        self.operands([literal(&HEXLOWER.encode(filter))]);
    }
}
