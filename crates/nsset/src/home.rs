//! Whether a thread may start another one that stays: it inherits the namespaces of the thread that starts it.

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

/// The kinds that a thread of a running process can have for itself.
const OWN: [Kind; 5] = [Kind::Cgroup, Kind::Ipc, Kind::Mnt, Kind::Net, Kind::Uts];

/// Refuses where the calling thread is inside: by what any copy of this library knows of it, or elsewhere than the first
/// thread of the process.
pub fn ensure() -> Result<()> {
    if footprint::is_away() || (gettid() != getpid() && !stands_with_the_first()) {
        let hint =
            "nsset starts its threads outside only, and this thread is inside: import nsset, or call this, before";
        return Err(SystemError::new(Errno::EAGAIN, "pthread_create").hint(hint).into());
    }
    Ok(())
}

/// Without `/proc` no thread can have gone inside.
fn stands_with_the_first() -> bool {
    let id = |thread, kind| proc::identify(&format!("{thread}/ns/{kind}"));
    OWN.into_iter().all(|kind| id("self", kind) == id("thread-self", kind))
}
