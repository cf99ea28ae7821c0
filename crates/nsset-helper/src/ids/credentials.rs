//! The ids of the program, if the caller chose them.

use crate::{
    arguments::Arguments,
    process::groups,
    syscall::{self, EPERM, Errno},
};

pub fn set_groups(arguments: &mut Arguments) -> Result<(), Errno> {
    groups::set(arguments)?;
    stay_undumpable()
}

/// Removes all supplementary groups. `EPERM` is no failure: the program then has no more rights from its groups than
/// the caller has.
pub fn drop_groups() -> Result<(), Errno> {
    match syscall::setgroups(&[]) {
        Ok(_) | Err(EPERM) => stay_undumpable(),
        Err(errno) => Err(errno),
    }
}

pub fn set_gid(gid: usize) -> Result<(), Errno> {
    syscall::setgid(gid)?;
    stay_undumpable()
}

pub fn set_uid(uid: usize) -> Result<(), Errno> {
    syscall::setuid(uid)?;
    stay_undumpable()
}

/// New credentials reset the dumpable flag to fs.suid_dumpable (prctl(2)). The exec that follows makes the program
/// dumpable again.
pub fn stay_undumpable() -> Result<(), Errno> {
    syscall::set_undumpable().map(drop)
}
