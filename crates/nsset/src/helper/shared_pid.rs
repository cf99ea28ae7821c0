//! Shared memory to which the kernel writes the pid of a child of the helper before the child runs:
//! `CLONE_PARENT_SETTID` of clone(2).
//!
//! Another process may kill the child before it announces itself. If it cannot be in a process group of the helper, in
//! which nsset would find it, nsset finds it by this pid. The helper maps the file, and a read(2) here shows what the
//! kernel wrote.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::{
    errno::Errno,
    sys::{
        memfd::{MFdFlags, memfd_create},
        uio::{pread, pwrite},
    },
};

use crate::{error::SystemError, retry::uninterrupted};

/// A file with one number.
#[derive(Debug)]
pub struct SharedPid(OwnedFd);

impl SharedPid {
    pub fn new() -> Result<Self, Box<SystemError>> {
        let file = nameless_memory().map_err(|errno| SystemError::new(errno, "memfd_create"))?;
        // A write allocates the page, so that the kernel cannot fail to write to it later.
        uninterrupted(|| pwrite(&file, &0_i32.to_ne_bytes(), 0))
            .map_err(|errno| SystemError::new(errno, "pwrite64"))?;
        Ok(Self(file))
    }

    /// The pid of the child, if it was created.
    pub fn read(&self) -> Option<i32> {
        let mut bytes = [0; size_of::<i32>()];
        let length = uninterrupted(|| pread(&self.0, &mut bytes, 0));
        let pid = i32::from_ne_bytes(bytes);
        (length == Ok(bytes.len()) && pid > 0).then_some(pid)
    }
}

impl AsFd for SharedPid {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// `vm.memfd_noexec=2` requires MFD_NOEXEC_SEAL, which kernels before 6.3 do not know (memfd_create(2)).
fn nameless_memory() -> Result<OwnedFd, Errno> {
    let flags = MFdFlags::MFD_CLOEXEC;
    match memfd_create(c"nsset-child-pid", flags | MFdFlags::from_bits_retain(libc::MFD_NOEXEC_SEAL)) {
        Err(Errno::EINVAL) => memfd_create(c"nsset-child-pid", flags),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pid_is_read_only_after_the_kernel_has_written_it() {
        let child_pid = SharedPid::new().unwrap();
        assert_eq!(child_pid.read(), None);
        pwrite(&child_pid, &4711_i32.to_ne_bytes(), 0).unwrap();
        assert_eq!(child_pid.read(), Some(4711));
    }
}
