//! Whether a thread may start another one that stays: it inherits the namespaces of the thread that starts it.

use nix::{
    errno::Errno,
    fcntl::AtFlags,
    sys::stat::fstatat,
    unistd::{getpid, gettid},
};

use crate::{
    error::{Result, SystemError},
    namespaces::kind::Kind,
    proc,
    threads::footprint,
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
    let Ok(proc) = proc::hold() else { return true };
    let id = |path: String| fstatat(proc, path.as_str(), AtFlags::empty()).ok().map(|stat| (stat.st_dev, stat.st_ino));
    OWN.into_iter().all(|kind| id(format!("self/ns/{kind}")) == id(format!("thread-self/ns/{kind}")))
}
