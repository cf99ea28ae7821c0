//! Supplementary groups.

use crate::{
    arguments::Arguments,
    syscall::{self, EINVAL, Errno},
};

/// Limited by the array below; the kernel takes up to 65536.
const MAX_GROUPS: usize = 1024;

pub fn set(arguments: &mut Arguments) -> Result<(), Errno> {
    let count = arguments.number()?;
    let mut groups = [0u32; MAX_GROUPS];
    let groups = groups.get_mut(..count).ok_or(EINVAL)?;
    for group in groups.iter_mut() {
        *group = u32::try_from(arguments.number()?).map_err(|_| EINVAL)?;
    }
    syscall::setgroups(groups).map(drop)
}
