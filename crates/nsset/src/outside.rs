//! Checks whether a thread may start another one that lasts, which inherits the namespaces of the thread that starts
//! it.

use std::sync::OnceLock;

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

/// The namespaces in which the first thread was outside that checked this: the main thread, when the addon is loaded. The main
/// thread may enter others later, and the threads that it starts then are inside from the beginning.
static OUTSIDE: OnceLock<[Option<proc::FileId>; OWN.len()]> = OnceLock::new();

/// Fails if the calling thread is inside: if a copy of this library has moved it, or if it is not in the namespaces in
/// which the addon was loaded.
pub fn ensure() -> Result<()> {
    if footprint::is_away() || !is_outside() {
        let hint =
            "nsset starts its threads outside only, and this thread is inside: import nsset, or call this, before";
        return Err(SystemError::new(Errno::EAGAIN, "pthread_create").hint(hint).into());
    }
    Ok(())
}

/// Returns whether the calling thread is in the mount namespace in which the addon was loaded.
pub fn has_mounts_of_outside() -> bool {
    let outside = OUTSIDE.get().and_then(|outside| OWN.into_iter().zip(outside).find(|(kind, _)| *kind == Kind::Mnt));
    outside.is_none_or(|(_, mounts)| *mounts == proc::identify("thread-self/ns/mnt"))
}

/// Without `/proc` no thread can have entered a namespace.
fn is_outside() -> bool {
    let is_main = gettid() == getpid();
    if let Some(outside) = OUTSIDE.get() {
        return is_main || *outside == namespaces_of("thread-self");
    }
    let here = namespaces_of("thread-self");
    (is_main || here == namespaces_of("self")) && *OUTSIDE.get_or_init(|| here) == here
}

fn namespaces_of(thread: &str) -> [Option<proc::FileId>; OWN.len()] {
    OWN.map(|kind| proc::identify(&format!("{thread}/ns/{kind}")))
}
