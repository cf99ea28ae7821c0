//! The steps that prepare a process for the exec of another program. They change only the process itself, so that a
//! child that still shares the memory of its parent may run them, too.

use crate::{
    arguments::Arguments,
    process::exec,
    process::groups,
    protocol::word,
    syscall::{self, EINVAL, Errno},
};

/// The process that runs these steps.
pub struct Process<'a> {
    /// Descriptors, or -1, that stay open until the exec. They are moved if a step needs their numbers.
    pub kept: [&'a mut i32; 2],
    /// The environment of the program that is executed.
    pub environment: *const *const u8,
}

/// Runs the step of this name; any other name is an error.
pub fn take(word: &[u8], arguments: &mut Arguments, process: Process<'_>) -> Result<(), Errno> {
    match word {
        word::GROUPS => groups::set(arguments),
        word::NO_NEW_PRIVILEGES => syscall::set_no_new_privileges().map(drop),
        word::SESSION => syscall::setsid().map(drop),
        word::STDIO => exec::set_stdio(arguments, process.kept),
        word::CHDIR => syscall::chdir(arguments.text()?).map(drop),
        word::EXEC => exec::exec(arguments, process.environment),
        _ => Err(EINVAL),
    }
}
