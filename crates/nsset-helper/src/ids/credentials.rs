//! The ids of the program, where the caller chose them.

use crate::{
    arguments::Arguments,
    syscall::{self, EINVAL, EPERM, Errno},
};

/// As many as fit the arguments' array below; the kernel takes 65536.
const MAX_GROUPS: usize = 1024;

pub fn set_groups(arguments: &mut Arguments) -> Result<(), Errno> {
    let count = arguments.number()?;
    let mut groups = [0u32; MAX_GROUPS];
    let groups = groups.get_mut(..count).ok_or(EINVAL)?;
    for group in groups.iter_mut() {
        *group = u32::try_from(arguments.number()?).map_err(|_| EINVAL)?;
    }
    syscall::setgroups(groups)?;
    stay_undumpable()
}

/// Who may not change them had no more from them than the caller has.
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

/// New credentials reset it to fs.suid_dumpable (prctl(2)); the exec to come makes the program dumpable again.
pub fn stay_undumpable() -> Result<(), Errno> {
    syscall::set_undumpable().map(drop)
}
