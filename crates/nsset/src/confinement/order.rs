//! What a program may do, and the order in which the child takes it on.

use std::ffi::CString;

use crate::{
    confinement::capabilities::Capabilities, confinement::landlock::Landlock, confinement::limits::Limit,
    confinement::system_call_filter::Filter, error::Result, helper::program::Program,
};

/// What a program may do. Default: what the caller may do.
#[derive(Clone, Debug, Default)]
pub struct Confinement {
    pub limits: Vec<Limit>,
    /// The file mode creation mask.
    pub umask: Option<u32>,
    /// From -20 to 19.
    pub nice: Option<i32>,
    /// Exactly the capabilities that it has, for any user.
    pub capabilities: Option<Capabilities>,
    /// Whether an exec can never give it more privileges.
    pub no_new_privileges: bool,
    /// The files, ports and processes that it may use. Needs `no_new_privileges`.
    pub landlock: Option<Landlock>,
    /// Needs `no_new_privileges`.
    pub filter: Option<Filter>,
}

impl Confinement {
    /// Whether no step can make the kernel kill a child that shares our memory, which could end this process with it.
    pub fn spares_child(&self) -> bool {
        self.filter.as_ref().is_none_or(Filter::is_checked)
    }

    /// Writes the steps that only the user namespace of the caller allows. They come before another one is joined.
    pub fn write_raises(&self, program: &mut Program<'_>) {
        for limit in &self.limits {
            limit.raise_hard(program);
        }
        if let Some(nice) = self.nice.filter(|nice| *nice < own_niceness()) {
            program.nice(nice);
        }
    }

    /// Writes the steps that come before the change of the credentials: with those of another user, they might not be
    /// allowed. Returns whether there are rules of Landlock to put into effect.
    pub fn write_attributes(&self, program: &mut Program<'_>) -> Result<bool> {
        let has_rules = self.landlock.as_ref().map_or(Ok(false), |landlock| landlock.write_rules(program))?;
        for limit in &self.limits {
            limit.write(program);
        }
        if let Some(mask) = self.umask {
            program.umask(mask);
        }
        if let Some(nice) = self.nice {
            program.nice(nice);
        }
        Ok(has_rules)
    }

    /// Writes the steps that come after the change of the credentials: it needs capabilities, and it changes them.
    pub fn write_privileges(&self, program: &mut Program<'_>) {
        if let Some(capabilities) = &self.capabilities {
            capabilities.write(program, self.no_new_privileges);
        }
    }

    /// Writes the last steps before the exec. Each of them may refuse what the steps before it do.
    pub fn write_restrictions(&self, program: &mut Program<'_>, file: &CString, has_rules: bool) {
        if self.no_new_privileges {
            program.no_new_privileges();
        }
        if has_rules {
            program.landlock_restrict();
        }
        program.reset_signals();
        if let Some(filter) = &self.filter {
            program.find(file.clone());
            program.seccomp(filter.instructions());
        }
    }
}

fn own_niceness() -> i32 {
    // SAFETY: plain numbers; 0 is the calling thread.
    unsafe { libc::getpriority(libc::PRIO_PROCESS, 0) }
}
