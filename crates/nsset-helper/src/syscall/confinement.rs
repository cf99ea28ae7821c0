//! What confines a program: limits, filters of system calls, and landlock(7).

use super::{
    errno::Errno,
    number,
    trap::{call, checked, trap},
};

/// The limits of one resource; `u64::MAX` is no limit (getrlimit(2)).
#[derive(Default)]
#[repr(C)]
pub struct Limit {
    pub soft: u64,
    pub hard: u64,
}

/// The limits of this process.
pub fn limit(resource: usize) -> Result<Limit, Errno> {
    let mut limit = Limit::default();
    call!(number::PRLIMIT64, 0, resource, 0, core::ptr::from_mut(&mut limit))?;
    Ok(limit)
}

pub fn set_limit(resource: usize, limit: &Limit) -> Result<usize, Errno> {
    call!(number::PRLIMIT64, 0, resource, core::ptr::from_ref(limit), 0)
}

pub fn umask(mask: usize) -> Result<usize, Errno> {
    call!(number::UMASK, mask)
}

/// Sets the niceness of this process, from -20 to 19.
pub fn set_niceness(niceness: i32) -> Result<usize, Errno> {
    const PRIO_PROCESS: usize = 0;
    call!(number::SETPRIORITY, PRIO_PROCESS, 0, niceness)
}

/// Installs a filter of system calls for this process.
///
/// # Safety
/// `program` points to this many instructions.
pub unsafe fn install_filter(program: *const u8, instructions: u16) -> Result<usize, Errno> {
    /// `struct sock_fprog` of linux/filter.h.
    #[repr(C)]
    struct Program {
        length: u16,
        instructions: *const u8,
    }
    const SECCOMP_SET_MODE_FILTER: usize = 1;
    let program = Program { length: instructions, instructions: program };
    call!(number::SECCOMP, SECCOMP_SET_MODE_FILTER, 0, core::ptr::from_ref(&program))
}

/// What a ruleset restricts: `struct landlock_ruleset_attr` of linux/landlock.h.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Ruleset {
    pub files: u64,
    pub ports: u64,
    pub scopes: u64,
}

/// An older kernel accepts what it does not know if that is 0.
pub fn create_ruleset(ruleset: &Ruleset) -> Result<i32, Errno> {
    call!(number::LANDLOCK_CREATE_RULESET, core::ptr::from_ref(ruleset), size_of::<Ruleset>(), 0).map(|fd| fd as i32)
}

/// Allows these rights below the file or directory of a descriptor.
pub fn add_path_rule(ruleset: i32, rights: u64, place: i32) -> Result<usize, Errno> {
    /// `struct landlock_path_beneath_attr`, which is packed.
    #[repr(C, packed)]
    struct Rule {
        rights: u64,
        place: i32,
    }
    const LANDLOCK_RULE_PATH_BENEATH: usize = 1;
    let rule = Rule { rights, place };
    call!(number::LANDLOCK_ADD_RULE, ruleset, LANDLOCK_RULE_PATH_BENEATH, &raw const rule, 0)
}

/// Allows these rights for a TCP port.
pub fn add_port_rule(ruleset: i32, rights: u64, port: u64) -> Result<usize, Errno> {
    const LANDLOCK_RULE_NET_PORT: usize = 2;
    let rule = [rights, port];
    call!(number::LANDLOCK_ADD_RULE, ruleset, LANDLOCK_RULE_NET_PORT, rule.as_ptr(), 0)
}

pub fn restrict_self(ruleset: i32) -> Result<usize, Errno> {
    call!(number::LANDLOCK_RESTRICT_SELF, ruleset, 0)
}

/// Lets files have the mode that they are made with.
pub fn clear_umask() {
    let _ = call!(number::UMASK, 0);
}
