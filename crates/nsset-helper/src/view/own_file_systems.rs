//! The file systems that the steps have mounted and that nothing else uses. Only in these are files made: a missing
//! target anywhere else would be made on the file system of the host.

use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use crate::syscall::{self, E2BIG, Errno};

/// More than these are an error. The numbers are in memory that takes no room until it is used.
const MOST: usize = 4096;

static MOUNTS: [AtomicU64; MOST] = [const { AtomicU64::new(0) }; MOST];
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// Adds the mount of a new file system.
pub fn add(tree: i32) -> Result<(), Errno> {
    let count = COUNT.load(Relaxed);
    let place = MOUNTS.get(count).ok_or(E2BIG)?;
    place.store(syscall::mount_id_of(tree)?, Relaxed);
    // This process has one thread. On aarch64 an atomic addition calls a function that needs a C library.
    COUNT.store(count + 1, Relaxed);
    Ok(())
}

/// Whether this file is on one of them.
pub fn contains(file: i32) -> Result<bool, Errno> {
    let mount = syscall::mount_id_of(file)?;
    let own = MOUNTS.iter().take(COUNT.load(Relaxed));
    Ok(own.into_iter().any(|own| own.load(Relaxed) == mount))
}
