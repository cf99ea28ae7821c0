//! Where the kernel writes the pid of a child that the helper makes, before the child runs: `CLONE_PARENT_SETTID` of clone(2).
//!
//! Such a child may be killed before it announces itself. Where it cannot be born in a process group of the helper's, in which
//! it would be found, it is found by this number. The helper maps the file; a read(2) here shows what the kernel wrote.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::{
    errno::Errno,
    sys::{
        memfd::{MFdFlags, memfd_create},
        uio::{pread, pwrite},
    },
};

use crate::{error::SystemError, retry::uninterrupted};

/// Room for one number, in memory that the helper shares.
#[derive(Debug)]
pub struct ChildPid(OwnedFd);

impl ChildPid {
    pub fn new() -> Result<Self, Box<SystemError>> {
        let file = nameless_memory().map_err(|errno| SystemError::new(errno, "memfd_create"))?;
        // The page is there from now on, so that the kernel does not fail to write to it.
        uninterrupted(|| pwrite(&file, &0_i32.to_ne_bytes(), 0))
            .map_err(|errno| SystemError::new(errno, "pwrite64"))?;
        Ok(Self(file))
    }

    /// The pid of the child, if it was made.
    pub fn read(&self) -> Option<i32> {
        let mut bytes = [0; size_of::<i32>()];
        let length = uninterrupted(|| pread(&self.0, &mut bytes, 0));
        let pid = i32::from_ne_bytes(bytes);
        (length == Ok(bytes.len()) && pid > 0).then_some(pid)
    }
}

impl AsFd for ChildPid {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// `vm.memfd_noexec=2` asks for the flag, and kernels before 6.3 do not know it (memfd_create(2)).
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
    fn what_was_written_is_read_and_nothing_before() {
        let child_pid = ChildPid::new().unwrap();
        assert_eq!(child_pid.read(), None);
        pwrite(&child_pid, &4711_i32.to_ne_bytes(), 0).unwrap();
        assert_eq!(child_pid.read(), Some(4711));
    }
}
