//! The steps that shape a process before it executes another program. They touch nothing but the process itself, so that a
//! child that still shares the memory of its parent may take them, too.

use crate::{
    arguments::Arguments,
    process::exec,
    process::groups,
    protocol::word,
    syscall::{self, EINVAL, Errno},
};

/// What these steps have to know.
pub struct Process<'a> {
    /// Descriptors, or -1, that stay open until the exec, and are moved where a step needs their numbers.
    pub kept: [&'a mut i32; 2],
    /// Of the program that is executed.
    pub environment: *const *const u8,
}

/// Takes a step of this name; any other is an error.
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
