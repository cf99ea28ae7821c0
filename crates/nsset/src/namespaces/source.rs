//! Where sets come from, other than from unshare(2).

use std::{
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
    path::Path,
    sync::OnceLock,
};

use nix::{
    errno::Errno,
    fcntl::{AT_FDCWD, OFlag, openat},
    sys::{
        stat::Mode,
        statfs::{NSFS_MAGIC, PROC_SUPER_MAGIC, fstatfs},
    },
};

use crate::{
    error::{Error, Result, SystemError},
    kind::{Kind, Kinds},
    namespaces::ioctl,
    namespaces::namespace::{Namespace, NamespaceId},
    namespaces::netns_directory,
    namespaces::set::NamespaceSet,
    proc,
    retry::uninterrupted,
};

/// The directory of the calling thread's namespaces.
pub(crate) fn open_own_directory() -> Result<OwnedFd> {
    open_directory(proc::hold()?, OWN_BELOW_PROC)
        .map_err(|errno| SystemError::new(errno, "open").path(OWN_DIRECTORY).hint("nsset needs a mounted /proc").into())
}

/// Opens these kinds from the directory of the calling thread's namespaces; all that the kernel has when none are named.
pub(crate) fn open_own(directory: BorrowedFd<'_>, kinds: Option<Kinds>) -> Result<NamespaceSet> {
    let location = Location { path: Path::new(OWN_DIRECTORY), pid: None };
    let kinds = kinds.map_or_else(kinds_of_kernel, Ok)?;
    open_kinds(directory, kinds, &location)
}

/// The identity of the calling thread's namespace of this kind; `None` where the kernel has no such kind.
pub(crate) fn own_id(kind: Kind) -> Option<NamespaceId> {
    let (dev, ino) = proc::identify(&format!("{OWN_BELOW_PROC}/{kind}"))?;
    Some(NamespaceId { dev, ino })
}

/// By the process's own `/proc`: in another mount namespace the path may lead anywhere.
const OWN_BELOW_PROC: &str = "thread-self/ns";
const OWN_DIRECTORY: &str = "/proc/thread-self/ns";

/// The namespaces of a process; of all kinds that are there when none are named.
pub fn from_pid(pid: i32, kinds: Option<Kinds>) -> Result<NamespaceSet> {
    // Opened once and then looked into, so that another process with the same number cannot slip in between.
    let path = format!("/proc/{pid}");
    let process = open_directory(AT_FDCWD, path.as_str()).map_err(|errno| gone(errno, &path, pid))?;
    open_ns_of(process.as_fd(), &format!("{path}/ns"), pid, kinds)
}

/// The namespaces of one thread of a process.
pub fn from_thread(pid: i32, tid: i32, kinds: Option<Kinds>) -> Result<NamespaceSet> {
    let path = format!("/proc/{pid}/task/{tid}");
    let thread = open_directory(AT_FDCWD, path.as_str()).map_err(|errno| gone(errno, &path, tid))?;
    open_ns_of(thread.as_fd(), &format!("{path}/ns"), tid, kinds)
}

/// The namespaces mounted in a directory, each under the name of its kind.
pub fn from_directory(path: &Path, kinds: Option<Kinds>) -> Result<NamespaceSet> {
    let directory = open_directory(AT_FDCWD, path).map_err(|errno| SystemError::new(errno, "open").path(path))?;
    if kinds.is_none() && is_of_proc(directory.as_fd()) {
        // The directory of a process that lacks a kind is that of one that has ended.
        return open_kinds(directory.as_fd(), kinds_of_kernel()?, &Location { path, pid: None });
    }
    let mut set = NamespaceSet::default();
    for kind in kinds.unwrap_or(Kinds::ALL).iter() {
        let file = path.join(kind.name());
        match from_path_at(directory.as_fd(), Path::new(kind.name()), &file, Some(kind)) {
            Err(Error::System(error)) if error.errno == Errno::ENOENT && kinds.is_none() => {}
            namespace => set.insert(namespace?),
        }
    }
    if set.kinds().is_empty() {
        let hint = "no file there has the name of a kind of namespace (net, uts, …)";
        return Err(SystemError::new(Errno::ENOENT, "open").path(path).hint(hint).into());
    }
    Ok(set)
}

/// The one namespace at a path; its kind is asked of the kernel, and compared with what is expected.
pub fn from_path(path: &Path, expected: Option<Kind>) -> Result<NamespaceSet> {
    from_path_at(AT_FDCWD, path, path, expected).map(NamespaceSet::of)
}

/// The one namespace behind a descriptor, which stays the caller's.
pub fn from_fd(fd: i32, expected: Option<Kind>) -> Result<NamespaceSet> {
    let name = format!("self/fd/{fd}");
    let path = format!("/proc/{name}");
    // Reopened rather than duplicated: a descriptor of O_PATH answers no ioctl, and its flags stay the caller's.
    let held = proc::open_below(&name, OFlag::O_PATH).map_err(|errno| {
        let errno = if errno == Errno::ENOENT { Errno::EBADF } else { errno };
        SystemError::new(errno, "open").path(&path).hint("the descriptor is not open")
    })?;
    reopen_namespace(held.as_fd(), Path::new(&path), expected).map(NamespaceSet::of)
}

pub(crate) fn from_path_at(
    directory: BorrowedFd<'_>,
    name: &Path,
    path: &Path,
    expected: Option<Kind>,
) -> Result<Namespace> {
    // O_PATH first: opening a FIFO or a device could wait, or do something.
    let held = uninterrupted(|| openat(directory, name, OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty()))
        .map_err(|errno| explain_missing(errno, path))?;
    reopen_namespace(held.as_fd(), path, expected)
}

/// A name of iproute2's may be in the other one of its directories.
fn explain_missing(errno: Errno, path: &Path) -> Box<SystemError> {
    let error = SystemError::new(errno, "open").path(path);
    match netns_directory::namesake(path) {
        Some(other) if errno == Errno::ENOENT && other.exists() => error.hint(format!("there is {}", other.display())),
        _ => error,
    }
}

/// Turns an `O_PATH` descriptor into a namespace, if it is one and of the kind that is expected.
pub(crate) fn reopen_namespace(held: BorrowedFd<'_>, path: &Path, expected: Option<Kind>) -> Result<Namespace> {
    if !is_namespace_file(held).map_err(|errno| SystemError::new(errno, "fstatfs").path(path))? {
        let hint = "it is not a namespace; /proc/PID/ns/KIND is, and what `ip netns add` or set.mount() left";
        return Err(SystemError::new(Errno::EINVAL, "open").path(path).hint(hint).into());
    }
    let fd = proc::open_below(&format!("self/fd/{}", held.as_raw_fd()), OFlag::O_RDONLY)
        .map_err(|errno| SystemError::new(errno, "open").path(path))?;
    let kind = kind_of(fd.as_fd()).map_err(|errno| SystemError::new(errno, "ioctl(NS_GET_NSTYPE)").path(path))?;
    if let Some(expected) = expected.filter(|expected| *expected != kind) {
        let hint = format!("it is a {kind} namespace, where a {expected} namespace was expected");
        return Err(SystemError::new(Errno::EINVAL, "open").kind(kind).path(path).hint(hint).into());
    }
    Namespace::new(kind, fd)
}

fn is_of_proc(directory: BorrowedFd<'_>) -> bool {
    uninterrupted(|| fstatfs(directory)).is_ok_and(|stat| stat.filesystem_type() == PROC_SUPER_MAGIC)
}

pub(crate) fn is_namespace_file(fd: BorrowedFd<'_>) -> std::result::Result<bool, Errno> {
    uninterrupted(|| fstatfs(fd)).map(|stat| stat.filesystem_type() == NSFS_MAGIC)
}

fn kind_of(fd: BorrowedFd<'_>) -> std::result::Result<Kind, Errno> {
    ioctl::flag(fd).and_then(|flag| Kind::from_flag(flag).ok_or(Errno::EINVAL))
}

/// What an error message says of where a namespace was looked for.
struct Location<'a> {
    path: &'a Path,
    pid: Option<i32>,
}

fn open_ns_of(process: BorrowedFd<'_>, path: &str, pid: i32, kinds: Option<Kinds>) -> Result<NamespaceSet> {
    let directory = open_directory(process, "ns").map_err(|errno| gone(errno, path, pid))?;
    let location = Location { path: Path::new(path), pid: Some(pid) };
    let kinds = kinds.map_or_else(kinds_of_kernel, Ok)?;
    open_kinds(directory.as_fd(), kinds, &location)
}

/// The kinds that this kernel has. The calling thread is asked, which is alive: of a process that has ended and was not
/// reaped the kernel shows `pid` and `user` only.
fn kinds_of_kernel() -> Result<Kinds> {
    static KINDS: OnceLock<Kinds> = OnceLock::new();
    if let Some(kinds) = KINDS.get() {
        return Ok(*kinds);
    }
    let own = open_own_directory()?;
    let is_there = |kind: &Kind| nix::fcntl::readlinkat(own.as_fd(), kind.name()).err() != Some(Errno::ENOENT);
    Ok(*KINDS.get_or_init(|| Kind::ALL.into_iter().filter(is_there).collect()))
}

fn open_kinds(directory: BorrowedFd<'_>, kinds: Kinds, location: &Location<'_>) -> Result<NamespaceSet> {
    let mut set = NamespaceSet::default();
    for kind in kinds.iter() {
        let open = || openat(directory, kind.name(), OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty());
        let fd = uninterrupted(open).map_err(|errno| explain_open(directory, errno, kind, location))?;
        set.insert(Namespace::new(kind, fd)?);
    }
    Ok(set)
}

fn explain_open(directory: BorrowedFd<'_>, errno: Errno, kind: Kind, location: &Location<'_>) -> Box<SystemError> {
    let errno = if has_ended(directory, errno, kind) { Errno::ESRCH } else { errno };
    let mut error = SystemError::new(errno, "open").kind(kind).path(location.path.join(kind.name()));
    error.pid = location.pid;
    match errno {
        Errno::ESRCH => error.hint(
            "the process has ended, or its main thread has: fromThread opens the namespaces of another thread of the process",
        ),
        Errno::EACCES | Errno::EPERM => error.hint(
            "the process belongs to another user or has made itself undumpable; ptrace(2) says who may look (root may)",
        ),
        Errno::ENOENT => error.hint("the kernel has no such kind of namespace, or the process is gone"),
        _ => error,
    }
}

/// Whether it failed because the process, or its main thread, has ended and was not reaped: the kernel shows most kinds of
/// it no more, and refuses the others to an ordinary user.
fn has_ended(directory: BorrowedFd<'_>, errno: Errno, kind: Kind) -> bool {
    match errno {
        Errno::ENOENT => is_of_proc(directory) && kinds_of_kernel().is_ok_and(|all| all.contains(kind)),
        Errno::EACCES => is_of_proc(directory) && is_zombie(directory),
        _ => false,
    }
}

/// Whether `stat`, beside the directory of its namespaces, shows a zombie (proc_pid_stat(5)). The name in parentheses may
/// have any character in it.
fn is_zombie(directory: BorrowedFd<'_>) -> bool {
    let mut text = [0; 128];
    let stat = openat(directory, "../stat", OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty());
    let Ok(length) = stat.and_then(|stat| nix::unistd::read(stat, &mut text)) else { return false };
    let after_name = text.get(..length).and_then(|text| text.rsplit(|byte| *byte == b')').next());
    matches!(after_name, Some([b' ', b'Z' | b'X', ..]))
}

fn open_directory<P: ?Sized + nix::NixPath>(at: BorrowedFd<'_>, path: &P) -> std::result::Result<OwnedFd, Errno> {
    uninterrupted(|| openat(at, path, OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty()))
}

/// `/proc` says ENOENT of a process that is gone; the user thinks of it as ESRCH, as kill(2) does.
fn gone(errno: Errno, path: &str, pid: i32) -> Box<SystemError> {
    let errno = if errno == Errno::ENOENT { Errno::ESRCH } else { errno };
    SystemError::new(errno, "open").path(path).pid(pid)
}
