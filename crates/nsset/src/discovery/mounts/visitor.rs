//! Opens what is mounted in another mount namespace. A path may lead through a file system that does not answer, so a
//! thread of its own goes there, and is not waited for longer than a moment.

use std::{
    ffi::{CStr, CString, OsStr},
    os::{
        fd::AsFd,
        unix::ffi::{OsStrExt, OsStringExt},
    },
    path::{Path, PathBuf},
    sync::mpsc::channel,
    thread::Builder,
    time::Duration,
};

use nix::{errno::Errno, fcntl::AT_FDCWD, fcntl::OFlag};

use crate::{
    error::{Result, SystemError, last_errno},
    kind::{Kind, Kinds},
    namespaces::{
        namespace::Namespace,
        set::NamespaceSet,
        source::{from_path_at, reopen_namespace},
    },
    proc,
    threads::thread,
};

/// How long the file systems on the way have to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Enough for a path and the structures of a few system calls.
const STACK: usize = 128 * 1024;

/// A way into a mount namespace.
pub(in crate::discovery) enum Entry {
    /// Through the root directory of a process in it.
    Process(i32),
    /// By entering it, where there is no process.
    Namespace(NamespaceSet),
}

/// A file on which a namespace is mounted.
pub(in crate::discovery) type Place = (Kind, CString);

/// Opens what is mounted at these places; `None` for what cannot be opened. `ETIMEDOUT` if a file system does not answer.
pub(in crate::discovery) fn open(entry: Entry, places: Vec<Place>) -> Result<Vec<Option<Namespace>>> {
    let (sender, receiver) = channel();
    let visit = move || {
        // The caller may have stopped waiting.
        let _ = sender.send(open_here(&entry, &places));
    };
    let thread = Builder::new().name("nsset-mounts".into()).stack_size(STACK).spawn(visit);
    thread.map_err(|error| SystemError::new(last_errno(&error), "clone"))?;
    receiver.recv_timeout(PATIENCE).unwrap_or_else(|_| Err(SystemError::new(Errno::ETIMEDOUT, "open").into()))
}

fn open_here(entry: &Entry, places: &[Place]) -> Result<Vec<Option<Namespace>>> {
    if let Entry::Namespace(set) = entry {
        thread::enter(set, Kinds::NONE.with(Kind::Mnt))?;
    }
    let open = |(kind, path): &Place| match entry {
        Entry::Process(pid) => open_through(*pid, path, *kind),
        Entry::Namespace(_) => from_path_at(AT_FDCWD, as_path(path), as_path(path), Some(*kind)),
    };
    Ok(places.iter().map(|place| open(place).ok()).collect())
}

fn open_through(pid: i32, path: &CStr, kind: Kind) -> Result<Namespace> {
    let mut below = format!("{pid}/root").into_bytes();
    below.extend_from_slice(path.to_bytes());
    let below = PathBuf::from(std::ffi::OsString::from_vec(below));
    let shown = Path::new("/proc").join(&below);
    let held = proc::open_below(&below, OFlag::O_PATH).map_err(|errno| SystemError::new(errno, "open").path(&shown))?;
    reopen_namespace(held.as_fd(), &shown, Some(kind))
}

fn as_path(path: &CStr) -> &Path {
    Path::new(OsStr::from_bytes(path.to_bytes()))
}
