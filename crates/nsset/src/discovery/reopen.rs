//! Opens a namespace that was found, by whatever holds it now.

use std::{ffi::CStr, os::fd::AsFd};

use nix::{errno::Errno, fcntl::OFlag};

use crate::{
    children::pidfd,
    discovery::{
        census::{Discovery, Found, Holder},
        mounts::visitor::{self, Entry},
        sockets,
    },
    error::{Error, Result, SystemError},
    kind::{Kind, Kinds},
    namespaces::{
        file_handle, ioctl,
        namespace::Namespace,
        of_process,
        set::NamespaceSet,
        source::{self, from_directory_of, from_thread},
    },
    proc,
};

impl Discovery {
    /// Opens the namespace with this index.
    ///
    /// # Errors
    /// [`Error::System`] with `ENOENT` if it is gone, or with the error of the last of its holders.
    pub fn open(&self, index: usize) -> Result<NamespaceSet> {
        let found = self.namespaces.get(index).ok_or_else(|| Error::InvalidArgument("no such namespace".into()))?;
        open(found, &self.namespaces).map(NamespaceSet::of)
    }
}

/// Tries the handle first, then every holder. `all` are the namespaces that may be holders.
pub(super) fn open(found: &Found, all: &[Found]) -> Result<Namespace> {
    let by_handle = found.unique_id.and_then(|id| file_handle::open(id, Some((found.kind, found.inode))).ok());
    if let Some(fd) = by_handle {
        return Namespace::new(found.kind, fd);
    }
    let mut failure = None;
    let ways = found.processes.iter().map(|pid| of_inhabitant(*pid, found.kind));
    for way in ways.chain(found.holders.iter().map(|holder| through(holder, found, all))) {
        match way {
            Ok(namespace) if is_same(&namespace, found) => return Ok(namespace),
            Ok(_) => {}
            Err(error) => failure = Some(error),
        }
    }
    Err(explain(found, failure))
}

fn is_same(namespace: &Namespace, found: &Found) -> bool {
    let is_equal = namespace.kind() == found.kind && namespace.id().ino == found.inode;
    is_equal && found.unique_id.is_none_or(|id| ioctl::unique_id(namespace.as_fd()) == Ok(id))
}

fn through(holder: &Holder, found: &Found, all: &[Found]) -> Result<Namespace> {
    match holder {
        Holder::Children { pid } => of_children(*pid, found.kind),
        Holder::Thread { pid, tid } => {
            from_thread(*pid, *tid, Some(Kinds::NONE.with(found.kind))).and_then(|set| take(&set, found.kind))
        }
        Holder::Descriptor { pid, fd } => open_path(&format!("{pid}/fd/{fd}"), found.kind),
        Holder::Socket { pid, fd } => {
            sockets::open_of(*pid, *fd).map_err(|errno| SystemError::new(errno, "ioctl(SIOCGSKNS)").pid(*pid).into())
        }
        Holder::Mount { path, mounts, through } => mounted(path, *mounts, *through, found, all),
        Holder::Namespace { kind, inode } => relative(*kind, *inode, found, all),
    }
}

/// Opens a namespace by a file on which it is mounted.
fn mounted(path: &CStr, mounts: u64, through: Option<i32>, found: &Found, all: &[Found]) -> Result<Namespace> {
    let entry = match through {
        Some(pid) => Entry::Process(pid),
        None => Entry::Namespace(NamespaceSet::of(open_known(Kind::Mnt, mounts, found, all)?)),
    };
    let opened = visitor::open(entry, vec![(found.kind, path.into())])?;
    opened.into_iter().flatten().next().ok_or_else(|| gone(found).into())
}

/// Opens a namespace by one that it owns or is the parent of.
fn relative(kind: Kind, inode: u64, found: &Found, all: &[Found]) -> Result<Namespace> {
    let child = open_known(kind, inode, found, all)?;
    if found.kind == Kind::User { child.owner() } else { child.parent() }
}

fn open_known(kind: Kind, inode: u64, found: &Found, all: &[Found]) -> Result<Namespace> {
    let known = all.iter().find(|each| each.kind == kind && each.inode == inode).ok_or_else(|| gone(found))?;
    open(known, all)
}

fn of_inhabitant(pid: i32, kind: Kind) -> Result<Namespace> {
    from_directory_of(pid, Some(Kinds::NONE.with(kind))).and_then(|set| take(&set, kind))
}

/// Its descriptor leads there even before there is a process inside, when the link in `/proc` does not.
fn of_children(pid: i32, kind: Kind) -> Result<Namespace> {
    let by_descriptor = pidfd::open(pid).and_then(|process| of_process::get_for_children(process.as_fd(), kind));
    match by_descriptor {
        Ok(fd) if proc::has_own_pids() => Namespace::new(kind, fd),
        _ => open_path(&format!("{pid}/ns/{}", kind.unshared_name()), kind),
    }
}

fn take(set: &NamespaceSet, kind: Kind) -> Result<Namespace> {
    let fd = set.get(kind)?.as_fd().try_clone_to_owned();
    let fd = fd.map_err(|error| SystemError::new(crate::error::last_errno(&error), "fcntl(F_DUPFD_CLOEXEC)"))?;
    Namespace::new(kind, fd)
}

fn open_path(path: &str, kind: Kind) -> Result<Namespace> {
    let whole = std::path::Path::new("/proc").join(path);
    let held = proc::open_below(path, OFlag::O_PATH).map_err(|errno| SystemError::new(errno, "open").path(&whole))?;
    source::reopen_namespace(held.as_fd(), &whole, Some(kind))
}

/// The failures of holders that are gone mean that the namespace is gone.
fn explain(found: &Found, failure: Option<Error>) -> Error {
    match failure {
        Some(Error::System(error)) if !is_absence(error.errno) => error.into(),
        _ => gone(found).into(),
    }
}

const fn is_absence(errno: Errno) -> bool {
    matches!(errno, Errno::ENOENT | Errno::ESRCH | Errno::EBADF | Errno::EINVAL | Errno::ESTALE)
}

fn gone(found: &Found) -> Box<SystemError> {
    let hint = format!("{}:[{}] is gone, or what held it has changed since it was found", found.kind, found.inode);
    SystemError::new(Errno::ENOENT, "open").kind(found.kind).hint(hint)
}
