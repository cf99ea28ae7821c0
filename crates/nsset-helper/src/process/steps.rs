//! The steps that prepare a process for the exec of another program. They change only the process itself, so that a
//! child that still shares the memory of its parent may run them, too.

use crate::{
    arguments::Arguments,
    process::confinement::{attributes, capabilities, landlock, limits, seccomp},
    process::exec,
    process::groups,
    protocol::word,
    syscall::{self, EINVAL, Errno},
};

/// The process that runs these steps.
pub struct Process<'a> {
    /// Descriptors, or -1, that stay open until the exec. They are moved if a step needs their numbers.
    pub kept: [&'a mut i32; 2],
    /// The ruleset of Landlock, or -1. No other step moves it, and the exec closes it.
    pub ruleset: &'a mut i32,
    /// The environment of the program that is executed.
    pub environment: *const *const u8,
}

/// Runs the step of this name; any other name is an error.
pub fn take(word: &[u8], arguments: &mut Arguments, process: Process<'_>) -> Result<(), Errno> {
    match word {
        word::LIMIT => limits::set(arguments),
        word::UMASK => attributes::set_umask(arguments),
        word::NICE => attributes::set_niceness(arguments),
        word::LANDLOCK => landlock::create(arguments, process.ruleset),
        word::LANDLOCK_PATH => landlock::allow_path(arguments, *process.ruleset),
        word::LANDLOCK_PORT => landlock::allow_port(arguments, *process.ruleset),
        word::LANDLOCK_RESTRICT => landlock::restrict(*process.ruleset),
        word::SIGNALS => exec::reset_signals(),
        word::FIND => exec::find(arguments, process.environment),
        word::SECCOMP => seccomp::install(arguments),
        word::GROUPS => groups::set(arguments),
        word::CAPABILITIES => capabilities::take_exactly(arguments),
        word::NO_NEW_PRIVILEGES => syscall::set_no_new_privileges().map(drop),
        word::SESSION => syscall::setsid().map(drop),
        word::STDIO => exec::set_stdio(arguments, process.kept),
        word::CHDIR => syscall::chdir(arguments.text()?).map(drop),
        word::EXEC => exec::exec(arguments, process.environment),
        _ => Err(EINVAL),
    }
}
