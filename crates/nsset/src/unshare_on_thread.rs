//! Makes new namespaces with a thread that does nothing else, and ends: of kinds that a thread can have for itself, where
//! nothing is to be set up inside. A thread takes a third of the time that the helper does.

use std::{os::fd::AsFd, thread::Builder};

use nix::sched::{CloneFlags, setns, unshare};

use crate::{
    error::{Result, SystemError, last_errno},
    explain,
    kind::{Kind, Kinds},
    set::NamespaceSet,
    source,
};

/// What it calls takes less than a page; what the C library keeps for each thread may take more.
const STACK: usize = 256 * 1024;

/// Whether a thread can make these: unshare(2) refuses `user` in a process with threads, gives `pid` and `time` to children
/// only, and takes a thread's root and working directory from the process's with `mnt`.
pub fn can_make(kinds: Kinds) -> bool {
    kinds.iter().all(|kind| matches!(kind, Kind::Cgroup | Kind::Ipc | Kind::Net | Kind::Uts))
}

/// New namespaces of these kinds, as children of the calling thread's.
pub fn unshare_on_thread(kinds: Kinds) -> Result<NamespaceSet> {
    let thread = Builder::new().name("nsset-unshare".into()).stack_size(STACK).spawn(move || go_out_and_back(kinds));
    let thread = thread.map_err(|error| SystemError::new(last_errno(&error), "pthread_create"))?;
    thread.join().expect("the thread does not panic")
}

fn go_out_and_back(kinds: Kinds) -> Result<NamespaceSet> {
    let directory = source::open_own_directory()?;
    let home = source::open_own(directory.as_fd(), Some(kinds))?;
    unshare(CloneFlags::from_bits_retain(kinds.flags() as i32)).map_err(|errno| explain::unshare(kinds, errno))?;
    let made = source::open_own(directory.as_fd(), Some(kinds));
    // A thread is joined a moment before it is gone: meanwhile it is to hold nothing that is new. Where there is no way
    // back, for who has no power over the old ones, its end follows.
    for namespace in home.iter() {
        let _ = setns(namespace.as_fd(), CloneFlags::empty());
    }
    made
}
