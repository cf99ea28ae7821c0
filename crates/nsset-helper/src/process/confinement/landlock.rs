//! Rules on files, ports and other processes (landlock(7)). The rules are collected in a ruleset, whose descriptor is
//! kept until a later step puts it into effect.

use crate::{
    arguments::Arguments,
    syscall::{self, AT_FDCWD, EINVAL, Errno, O_PATH, Ruleset},
};

/// `LANDLOCK_ACCESS_FS_*` that a rule on a file may have: execute, write, read, truncate, ioctl and Unix sockets.
const OF_FILES: u64 = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 14 | 1 << 15 | 1 << 16;

/// Creates the ruleset.
pub fn create(arguments: &mut Arguments, ruleset: &mut i32) -> Result<(), Errno> {
    let [files, ports, scopes] = [arguments.number()?, arguments.number()?, arguments.number()?];
    let attributes = Ruleset { files: files as u64, ports: ports as u64, scopes: scopes as u64 };
    *ruleset = syscall::create_ruleset(&attributes)?;
    Ok(())
}

/// Allows access below a path. A rule on a file has only the rights that apply to files.
pub fn allow_path(arguments: &mut Arguments, ruleset: i32) -> Result<(), Errno> {
    let rights = arguments.number()? as u64;
    let place = syscall::open(AT_FDCWD, arguments.text()?, O_PATH)?;
    let added = match syscall::add_path_rule(ruleset, rights, place) {
        Err(EINVAL) => syscall::add_path_rule(ruleset, rights & OF_FILES, place),
        outcome => outcome,
    };
    syscall::close(place);
    added.map(drop)
}

/// Allows a port.
pub fn allow_port(arguments: &mut Arguments, ruleset: i32) -> Result<(), Errno> {
    let rights = arguments.number()? as u64;
    syscall::add_port_rule(ruleset, rights, arguments.number()? as u64).map(drop)
}

/// Puts the ruleset into effect for this process.
pub fn restrict(ruleset: i32) -> Result<(), Errno> {
    syscall::restrict_self(ruleset).map(drop)
}
