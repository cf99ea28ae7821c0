//! The `/proc` of the process, held open from the start. A thread that has entered another mount namespace may see
//! another one at that path, with the pids of another pid namespace.

use std::{
    fs::File,
    io::Read,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::Path,
    sync::OnceLock,
};

use nix::{
    errno::Errno,
    fcntl::{AtFlags, OFlag, open, openat},
    sys::{
        stat::{Mode, fstatat},
        statvfs::{FsFlags, fstatvfs},
    },
};

use crate::{
    error::{Result, SystemError},
    retry::uninterrupted,
};

/// The hint for a system without one.
pub(crate) const MISSING: &str = "nsset needs a mounted /proc";

/// Opens it once. The first call has to be before a mount namespace can have been entered.
pub fn hold() -> Result<BorrowedFd<'static>> {
    static PROC: OnceLock<OwnedFd> = OnceLock::new();
    if let Some(proc) = PROC.get() {
        return Ok(proc.as_fd());
    }
    let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let proc = uninterrupted(|| open("/proc", flags, Mode::empty()))
        .map_err(|errno| SystemError::new(errno, "open").path("/proc").hint(MISSING))?;
    let proc = PROC.get_or_init(|| proc).as_fd();
    mounts_of_origin();
    Ok(proc)
}

/// Whether the calling thread is in the mount namespace in which `/proc` was opened, so that the path leads to it.
pub(crate) fn is_at_usual_path() -> bool {
    mounts_of_origin().is_none_or(|origin| identify(OWN_MOUNTS).is_none_or(|here| here == origin))
}

/// The mount namespace of the thread that opened `/proc`.
fn mounts_of_origin() -> Option<FileId> {
    static MOUNTS: OnceLock<Option<FileId>> = OnceLock::new();
    *MOUNTS.get_or_init(|| identify(OWN_MOUNTS))
}

const OWN_MOUNTS: &str = "thread-self/ns/mnt";

/// Device and inode.
pub(crate) type FileId = (libc::dev_t, libc::ino_t);

/// The identity of the file at a path below it; `None` if there is none.
pub(crate) fn identify(path: &str) -> Option<FileId> {
    let stat = fstatat(hold().ok()?, path, AtFlags::empty()).ok()?;
    Some((stat.st_dev, stat.st_ino))
}

/// Opens a path below it.
pub fn open_below(path: impl AsRef<Path>, flags: OFlag) -> std::result::Result<OwnedFd, Errno> {
    let proc = hold().map_err(|_| Errno::ENOENT)?;
    let path = path.as_ref();
    uninterrupted(|| openat(proc, path, flags | OFlag::O_CLOEXEC, Mode::empty()))
}

/// The hint for a file below it on a read-only mount, either all of `/proc` or `/proc/sys`.
pub(crate) fn explain_read_only() -> &'static str {
    let is_whole = hold()
        .is_ok_and(|proc| uninterrupted(|| fstatvfs(proc)).is_ok_and(|stat| stat.flags().contains(FsFlags::ST_RDONLY)));
    if is_whole {
        "/proc is mounted read-only: mount -o remount,rw /proc, or have the program see another one"
    } else {
        "/proc/sys is mounted read-only, as container engines do: start the container with --sysctl, --privileged or \
         --security-opt systempaths=unconfined, or mount -o remount,rw,bind /proc/sys"
    }
}

/// Whether its pids are those of the caller's pid namespace. `NSpid` has the pid of the reader in the pid namespace of `/proc` and
/// in each one below it, down to the reader's own (proc_pid_status(5)).
pub(crate) fn has_own_pids() -> bool {
    static HAS: OnceLock<bool> = OnceLock::new();
    *HAS.get_or_init(|| {
        let mut status = String::new();
        // It is longer than a small file for a user with hundreds of groups.
        let _ = open_below("self/status", OFlag::O_RDONLY).map(|file| File::from(file).read_to_string(&mut status));
        let pids = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
        pids.is_some_and(|pids| pids.split_ascii_whitespace().count() == 1)
    })
}

/// The size of a small file.
const SMALL: usize = 4096;

/// Reads a small file below it as text.
pub(crate) fn read_below(path: &str) -> Option<String> {
    // With enough room at once, one read takes all of it.
    let mut text = String::with_capacity(SMALL);
    let file = File::from(open_below(path, OFlag::O_RDONLY).ok()?);
    file.take(SMALL as u64).read_to_string(&mut text).ok()?;
    Some(text)
}

/// Whether the user namespace of the process has all ids, as only the first one usually has.
pub(crate) fn sees_all_users() -> bool {
    static SEES: OnceLock<bool> = OnceLock::new();
    *SEES.get_or_init(|| {
        let map = read_below("thread-self/uid_map").unwrap_or_default();
        map.split_ascii_whitespace().eq(["0", "0", "4294967295"])
    })
}
