//! Makes new namespaces with a thread that does nothing else, and ends: of kinds that a thread can have for itself, where
//! nothing is to be set up inside. A thread takes half of the time that the helper does, and is where the one stands that
//! starts it: that has to be one that is never inside.

use std::{
    os::fd::AsFd,
    sync::Arc,
    thread::Builder,
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    poll::PollTimeout,
    sched::{CloneFlags, setns, unshare},
    sys::eventfd::{EfdFlags, EventFd},
};

use crate::{
    cancel::{Cancel, TIME_LIMIT, wait_readable},
    error::{Result, SystemError, last_errno},
    helper::explain,
    kind::{Kind, Kinds},
    namespaces::set::NamespaceSet,
    namespaces::source,
};

/// What it calls takes less than a page; what the C library keeps for each thread may take more.
const STACK: usize = 256 * 1024;

/// Whether a thread can make these: unshare(2) refuses `user` in a process with threads, gives `pid` and `time` to children
/// only, and takes a thread's root and working directory from the process's with `mnt`.
pub fn can_make(kinds: Kinds) -> bool {
    kinds.iter().all(|kind| matches!(kind, Kind::Cgroup | Kind::Ipc | Kind::Net | Kind::Uts))
}

/// New namespaces of these kinds, as children of the calling thread's. Who does not wait for the kernel any longer leaves
/// the thread to itself: it ends when the kernel lets it, and what it has made with it.
pub fn unshare_on_thread(kinds: Kinds, cancel: Option<&Cancel>) -> Result<NamespaceSet> {
    let over = EventFd::from_flags(EfdFlags::EFD_CLOEXEC).map_err(|errno| SystemError::new(errno, "eventfd2"))?;
    let over = Arc::new(over);
    let ending = Ending(Arc::clone(&over));
    let thread = Builder::new().name("nsset-unshare".into()).stack_size(STACK).spawn(move || {
        let _ending = ending;
        go_out_and_back(kinds)
    });
    let thread = thread.map_err(|error| SystemError::new(last_errno(&error), "pthread_create"))?;
    wait_for(&over, cancel)?;
    thread.join().unwrap_or_else(|_| Err(SystemError::new(Errno::ECANCELED, "unshare").into()))
}

/// Tells that the thread has done its work, or has panicked.
struct Ending(Arc<EventFd>);

impl Drop for Ending {
    fn drop(&mut self) {
        // Only a full counter refuses.
        let _ = self.0.write(1);
    }
}

/// A network can take long: the kernel makes none while it takes many links down.
fn wait_for(over: &EventFd, cancel: Option<&Cancel>) -> Result<()> {
    let deadline = Instant::now() + TIME_LIMIT;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if wait_readable(Some(over.as_fd()), cancel, PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX))? {
            return Ok(());
        }
        if left == Duration::ZERO {
            let hint = format!("the kernel did not come to an end within {} s", TIME_LIMIT.as_secs());
            return Err(SystemError::new(Errno::ETIMEDOUT, "unshare").hint(hint).into());
        }
    }
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
