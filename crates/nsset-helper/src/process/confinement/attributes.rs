//! Attributes of a process that an exec keeps.

use crate::{
    arguments::Arguments,
    syscall::{self, Errno},
};

/// What the niceness is counted from in the step, so that its operand is not below 0.
const LEAST_NICENESS: i32 = -20;

pub fn set_umask(arguments: &mut Arguments) -> Result<(), Errno> {
    syscall::umask(arguments.number()?).map(drop)
}

pub fn set_niceness(arguments: &mut Arguments) -> Result<(), Errno> {
    syscall::set_niceness(arguments.number()? as i32 + LEAST_NICENESS).map(drop)
}
