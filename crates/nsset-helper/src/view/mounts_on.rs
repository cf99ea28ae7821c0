//! The mounts on a mount, without those further down.

use crate::{
    syscall::{self, EINVAL, Errno, MountStatus},
    view::mount_info::{Mount, MountInfo},
};

/// How many ids the kernel returns at once.
const AT_ONCE: usize = 64;

/// Calls with the path of each, as this process sees it. The file is the root of the mount, and it is an error if that is only a
/// part of its file system: another process mounted the part there on purpose.
pub fn each(file: i32, proc: i32, call: impl FnMut(&[u8]) -> Result<(), Errno>) -> Result<(), Errno> {
    match syscall::unique_mount_id(file).and_then(|id| MountStatus::of(id).map(|status| (id, status))) {
        Ok((id, status)) if status.is_whole() => each_by_id(id, call),
        Ok(_) => Err(EINVAL),
        // Before Linux 6.8, or a filter of system calls does not know it.
        Err(_) => each_in_list(syscall::mount_id_of(file)?, proc, call),
    }
}

/// The kernel writes only what is asked for: the list of /proc has each mount of the namespace.
#[inline(never)] // so that its room is taken from the stack only when it is needed
fn each_by_id(id: u64, mut call: impl FnMut(&[u8]) -> Result<(), Errno>) -> Result<(), Errno> {
    let mut ids = [0; AT_ONCE];
    let mut last = 0;
    loop {
        let count = syscall::list_mounts(id, last, &mut ids)?;
        let found = ids.get(..count).ok_or(EINVAL)?;
        for below in found {
            let status = MountStatus::of(*below)?;
            if status.parent() == id {
                call(status.path())?;
            }
        }
        if count < AT_ONCE {
            return Ok(());
        }
        last = found.last().copied().unwrap_or_default();
    }
}

#[inline(never)] // so that its room is taken from the stack only when it is needed
fn each_in_list(id: u64, proc: i32, mut call: impl FnMut(&[u8]) -> Result<(), Errno>) -> Result<(), Errno> {
    let mut mount = Mount::new();
    let mut list = MountInfo::open(proc)?;
    let mut is_there = false;
    let outcome = loop {
        match list.read(&mut mount) {
            Ok(true) if mount.id == id && !mount.is_whole => break Err(EINVAL),
            Ok(true) if mount.parent == id => {
                let outcome = call(mount.path());
                if outcome.is_err() {
                    break outcome;
                }
            }
            Ok(true) => is_there |= mount.id == id,
            Ok(false) if is_there => break Ok(()),
            // What is on it may be left out, too.
            Ok(false) => break Err(EINVAL),
            Err(errno) => break Err(errno),
        }
    };
    list.close();
    outcome
}
