//! Opens sets of existing namespaces.

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
    namespaces::of_process,
    namespaces::set::NamespaceSet,
    proc,
    retry::uninterrupted,
};

/// The directory of the calling thread's namespaces.
pub(crate) fn open_own_directory() -> Result<OwnedFd> {
    open_directory(proc::hold()?, OWN_BELOW_PROC)
        .map_err(|errno| SystemError::new(errno, "open").path(OWN_DIRECTORY).hint("nsset needs a mounted /proc").into())
}

/// Opens these kinds from the directory of the calling thread; without kinds, all that the kernel has.
pub(crate) fn open_own(directory: BorrowedFd<'_>, kinds: Option<Kinds>) -> Result<NamespaceSet> {
    let location = Location { path: Path::new(OWN_DIRECTORY), pid: None };
    let kinds = kinds.map_or_else(kinds_of_kernel, Ok)?;
    open_kinds(directory, kinds, &location)
}

/// The identity of the calling thread's namespace of this kind; `None` if the kernel has no such kind.
pub(crate) fn own_id(kind: Kind) -> Option<NamespaceId> {
    let (dev, ino) = proc::identify(&format!("{OWN_BELOW_PROC}/{kind}"))?;
    Some(NamespaceId { dev, ino })
}

/// Below the `/proc` that nsset holds, because in another mount namespace the path may lead anywhere.
const OWN_BELOW_PROC: &str = "thread-self/ns";
const OWN_DIRECTORY: &str = "/proc/thread-self/ns";

/// The namespaces of a process; without kinds, of all kinds that the kernel has.
pub fn from_pid(pid: i32, kinds: Option<Kinds>) -> Result<NamespaceSet> {
    // Whatever is in the way there, older kernels included: `/proc` may do, and explains what is wrong.
    of_process::open(pid, kinds.map_or_else(kinds_of_kernel, Ok)?).or_else(|_| from_directory_of(pid, kinds))
}

/// The same through the directory of the process in `/proc`.
pub(crate) fn from_directory_of(pid: i32, kinds: Option<Kinds>) -> Result<NamespaceSet> {
    // The directory is opened once, so that all namespaces are those of one process, even if its pid is reused.
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
        // If a kind is missing in the directory of a process, the process has ended.
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
        let hint = "the directory has no file with the name of a kind of namespace (net, uts, …)";
        return Err(SystemError::new(Errno::ENOENT, "open").path(path).hint(hint).into());
    }
    Ok(set)
}

/// The one namespace at a path. The kernel reports its kind, which has to be the expected one.
pub fn from_path(path: &Path, expected: Option<Kind>) -> Result<NamespaceSet> {
    from_path_at(AT_FDCWD, path, path, expected).map(NamespaceSet::of)
}

/// The one namespace of a descriptor, which remains open and belongs to the caller.
pub fn from_fd(fd: i32, expected: Option<Kind>) -> Result<NamespaceSet> {
    let name = format!("self/fd/{fd}");
    let path = format!("/proc/{name}");
    // Opened again instead of duplicated, because an `O_PATH` descriptor supports no ioctl, and a duplicate would share
    // its flags with the caller.
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
    // O_PATH comes first, because opening a FIFO or a device could block or have an effect.
    let held = uninterrupted(|| openat(directory, name, OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty()))
        .map_err(|errno| explain_missing(errno, path))?;
    reopen_namespace(held.as_fd(), path, expected)
}

/// The name may be in the other directory of iproute2.
fn explain_missing(errno: Errno, path: &Path) -> Box<SystemError> {
    let error = SystemError::new(errno, "open").path(path);
    match netns_directory::namesake(path) {
        Some(other) if errno == Errno::ENOENT && other.exists() => error.hint(format!("there is {}", other.display())),
        _ => error,
    }
}

/// Opens the namespace of an `O_PATH` descriptor, and checks that it is one and of the expected kind.
pub(crate) fn reopen_namespace(held: BorrowedFd<'_>, path: &Path, expected: Option<Kind>) -> Result<Namespace> {
    if !is_namespace_file(held).map_err(|errno| SystemError::new(errno, "fstatfs").path(path))? {
        let hint = "it is not a namespace; /proc/PID/ns/KIND is one, and a file of `ip netns add` or set.mount()";
        return Err(SystemError::new(Errno::EINVAL, "open").path(path).hint(hint).into());
    }
    let fd = proc::open_below(format!("self/fd/{}", held.as_raw_fd()), OFlag::O_RDONLY)
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

/// The place of a namespace in error messages.
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

/// The kinds that this kernel has, read from the calling thread: for a zombie the kernel shows only `pid` and `user`.
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
            "the process has ended, or its main thread has ended: fromThread opens the namespaces of another thread of the process",
        ),
        Errno::EACCES | Errno::EPERM => error.hint(
            "the process belongs to another user or has made itself undumpable; ptrace(2) describes who may open it (root may)",
        ),
        Errno::ENOENT => error.hint("the kernel has no such kind of namespace, or the process is gone"),
        _ => error,
    }
}

/// Whether the error means that the process, or its main thread, is a zombie: the kernel then hides most of its kinds,
/// and refuses the others to an ordinary user.
fn has_ended(directory: BorrowedFd<'_>, errno: Errno, kind: Kind) -> bool {
    match errno {
        Errno::ENOENT => is_of_proc(directory) && kinds_of_kernel().is_ok_and(|all| all.contains(kind)),
        Errno::EACCES => is_of_proc(directory) && is_zombie(directory),
        _ => false,
    }
}

/// Whether `stat`, next to the directory of the namespaces, shows a zombie (proc_pid_stat(5)). The name in parentheses
/// may contain any character.
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

/// `/proc` fails with ENOENT for a process that has ended; like kill(2), nsset reports ESRCH.
fn gone(errno: Errno, path: &str, pid: i32) -> Box<SystemError> {
    let errno = if errno == Errno::ENOENT { Errno::ESRCH } else { errno };
    SystemError::new(errno, "open").path(path).pid(pid)
}
