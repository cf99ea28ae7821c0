//! Checks whether a thread may start another one that lasts, which inherits the namespaces of the thread that starts
//! it.

use nix::{
    errno::Errno,
    unistd::{getpid, gettid},
};

use crate::{
    error::{Result, SystemError},
    footprint,
    kind::Kind,
    proc,
};

/// The kinds of which a thread of a running process can have its own namespace.
const OWN: [Kind; 5] = [Kind::Cgroup, Kind::Ipc, Kind::Mnt, Kind::Net, Kind::Uts];

/// Fails if the calling thread is inside: if a copy of this library has moved it, or if it is not in the same
/// namespaces as the main thread.
pub fn ensure() -> Result<()> {
    if footprint::is_away() || (gettid() != getpid() && !is_with_main_thread()) {
        let hint =
            "nsset starts its threads outside only, and this thread is inside: import nsset, or call this, before";
        return Err(SystemError::new(Errno::EAGAIN, "pthread_create").hint(hint).into());
    }
    Ok(())
}

/// Without `/proc` no thread can have entered a namespace.
fn is_with_main_thread() -> bool {
    let id = |thread, kind| proc::identify(&format!("{thread}/ns/{kind}"));
    OWN.into_iter().all(|kind| id("self", kind) == id("thread-self", kind))
}
