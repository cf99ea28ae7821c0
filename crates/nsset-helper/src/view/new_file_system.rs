//! New file systems: fsopen(2), fsconfig(2), fsmount(2).

use core::ffi::CStr;

use crate::{
    arguments::Arguments,
    syscall::{self, Errno},
};

/// `MOUNT_ATTR_*` of mount_setattr(2).
pub const RDONLY: usize = 0x1;
pub const NOSUID: usize = 0x2;
pub const NODEV: usize = 0x4;
pub const NOEXEC: usize = 0x8;

/// A detached mount of a new file system with these options.
pub fn make(kind: &CStr, options: &[(&CStr, &CStr)], attributes: usize) -> Result<i32, Errno> {
    let fs = syscall::fsopen(kind)?;
    let set = options.iter().try_for_each(|(key, value)| syscall::fsconfig_option(fs, key, value).map(drop));
    if let Err(errno) = set {
        syscall::close(fs);
        return Err(errno);
    }
    finish(fs, attributes).inspect_err(|_| {
        syscall::close(fs);
    })
}

/// Sets the options that are the next operands, `COUNT (KEY VALUE)*`.
pub fn set_options(fs: i32, arguments: &mut Arguments) -> Result<(), Errno> {
    for _ in 0..arguments.number()? {
        syscall::fsconfig_option(fs, arguments.text()?, arguments.text()?)?;
    }
    Ok(())
}

/// A detached mount of the file system that has its options. Its context is closed, unless this fails: then it has the
/// kernel's words about that.
pub fn finish(fs: i32, attributes: usize) -> Result<i32, Errno> {
    syscall::fsconfig_create(fs)?;
    let tree = syscall::fsmount(fs, attributes)?;
    syscall::close(fs);
    Ok(tree)
}
