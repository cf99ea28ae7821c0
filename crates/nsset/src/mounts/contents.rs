//! The contents of files that a new mount namespace starts with, in memory that the helper reads: they can be of any
//! length and have any bytes, which the words of its program cannot.

use std::{fs::File, io::Write, os::fd::OwnedFd};

use nix::sys::memfd::{MFdFlags, memfd_create};

use crate::{
    error::{Result, SystemError, last_errno},
    mounts::mount_spec::MountSpec,
};

/// The contents of all files of the list, one after the other; `None` if there is no file.
pub fn of(mounts: &[MountSpec]) -> Result<Option<OwnedFd>> {
    if mounts.iter().all(|mount| mount.kind != "file") {
        return Ok(None);
    }
    let memory = memfd_create(c"nsset-files", MFdFlags::MFD_CLOEXEC);
    let mut file = File::from(memory.map_err(|errno| SystemError::new(errno, "memfd_create"))?);
    for mount in mounts {
        file.write_all(&mount.content).map_err(|error| SystemError::new(last_errno(&error), "write"))?;
    }
    Ok(Some(file.into()))
}
