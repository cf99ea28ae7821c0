//! Names of network namespaces as in ip-netns(8): files in one directory, with a namespace mounted on each.

use std::{
    fs::{self, File},
    io,
    os::fd::{AsFd, OwnedFd},
    path::Path,
    sync::Arc,
    thread::sleep,
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    fcntl::{Flock, FlockArg, OFlag, openat},
    sys::stat::{FileStat, Mode, SFlag, fstat},
};

use crate::{
    error::{Error, Result, SystemError, last_errno},
    kind::Kind,
    mounts::entry::{Entry, is_empty_file},
    mounts::mount::{Mounted, explain_unmount, is_namespace, mount_anew, remove_file},
    mounts::mount_tree,
    mounts::walk::{is_type, make_directory, open_directory},
    namespaces::namespace::{Namespace, NamespaceId},
    namespaces::netns_directory,
    namespaces::source::{from_path, from_path_at, reopen_namespace},
    retry::{insist, uninterrupted},
};

pub use crate::namespaces::netns_directory::directory;

/// How long another process that prepares the directory may hold the lock.
const PATIENCE: Duration = Duration::from_secs(1);

/// The most namespaces that are mounted on top of each other on one name, and unmounted with it.
const MOST_MOUNTS: usize = 64;

/// Gives a network namespace a new name. The directory is created if it is missing.
pub fn attach(directory: &Path, name: &str, namespace: &Namespace) -> Result<()> {
    attach_one(directory, name, namespace).map(drop)
}

fn attach_one(directory: &Path, name: &str, namespace: &Namespace) -> Result<Mounted> {
    let held = Arc::new(prepare(directory)?);
    mount_anew(namespace, Entry::below(&held, directory, name))
}

/// Removes a name. The namespace remains while something else holds it. Like `ip netns delete`, it removes a name that
/// any program has created: a file of any mode on which a network namespace is or was mounted, or a symbolic link to
/// one.
pub fn remove(directory: &Path, name: &str) -> Result<()> {
    let path = directory.join(name);
    let held = open_directory(directory).map_err(|error| error.path(&path))?;
    let entry = Entry::below(&Arc::new(held), directory, name);
    let mut is_unmounted = false;
    for _ in 0..MOST_MOUNTS {
        let held = match entry.open() {
            // Another process removed the name meanwhile.
            Err(Errno::ENOENT) if is_unmounted => return Ok(()),
            other => other.map_err(|errno| entry.error(errno, "open"))?,
        };
        let stat = fstat(&held).map_err(|errno| entry.error(errno, "fstat"))?;
        match name_of(&entry, &held, &stat) {
            Ok(Name::Mounted) => {
                mount_tree::detach(held.as_fd()).map_err(|errno| explain_unmount(errno, &entry))?;
                is_unmounted = true;
            }
            Ok(Name::Dead) => return remove_file(&entry, &stat),
            Err(error) if is_unmounted => return Err(error.hint(WHAT_STAYS).into()),
            Err(error) => return Err(error.into()),
        }
    }
    Err(entry
        .error(Errno::EBUSY, "umount2")
        .hint("64 or more namespaces are mounted on it, or another process keeps mounting them")
        .into())
}

const WHAT_STAYS: &str =
    "the network namespace was unmounted; what is below it is not an empty file or a network namespace, and stays";

/// The state of a name.
enum Name {
    /// A network namespace is mounted there.
    Mounted,
    /// No namespace is mounted there, or it is a symbolic link.
    Dead,
}

fn name_of(entry: &Entry, held: &OwnedFd, stat: &FileStat) -> std::result::Result<Name, Box<SystemError>> {
    let refuse = |hint| Err(entry.error(Errno::EINVAL, "unlink").hint(hint));
    if is_namespace(entry, held)? {
        let network = reopen_namespace(held.as_fd(), entry.path(), Some(Kind::Net));
        return network.map(|_| Name::Mounted).map_err(|error| of_system(error, entry));
    }
    if is_type(stat, SFlag::S_IFLNK) {
        let network = from_path_at(entry.directory(), Path::new(entry.name()), entry.path(), Some(Kind::Net));
        return match network.map_err(|error| of_system(error, entry)) {
            // The target of the link does not exist any more.
            Err(error) if matches!(error.errno, Errno::ENOENT | Errno::ESRCH) => Ok(Name::Dead),
            other => other.map(|_| Name::Dead),
        };
    }
    if is_empty_file(stat) {
        return Ok(Name::Dead);
    }
    if is_type(stat, SFlag::S_IFREG) {
        return refuse("it is a file with content and no network namespace, and stays");
    }
    refuse("it is neither a file nor a network namespace, and stays")
}

fn of_system(error: Error, entry: &Entry) -> Box<SystemError> {
    match error {
        Error::System(error) => error,
        _ => entry.error(Errno::EINVAL, "open"),
    }
}

/// The names, sorted. Other files in the directory are left out.
pub fn list(directory: &Path) -> Result<Vec<String>> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(|error| failed(&error, "opendir", directory))?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| failed(&error, "readdir", directory))?;
        if let Ok(name) = entry.file_name().into_string()
            && is_name(&entry.path())?
        {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

fn is_name(path: &Path) -> Result<bool> {
    match from_path(path, Some(Kind::Net)) {
        Ok(_) => Ok(true),
        // With these errors it may be a name nevertheless.
        Err(Error::System(error)) if matches!(error.errno, Errno::EMFILE | Errno::ENFILE | Errno::ENOMEM) => {
            Err(error.into())
        }
        Err(_) => Ok(false),
    }
}

/// Opens the directory, and creates it if it is missing. Makes a directory of iproute2 a shared mount, so that names
/// appear and disappear in every mount namespace that has a copy of the directory, and no copy keeps a namespace alive.
fn prepare(directory: &Path) -> Result<OwnedFd> {
    let held = make_directory(directory).map_err(|error| match error.errno {
        // mkdir(2) reports it in this way.
        Errno::ENOTDIR => SystemError::new(Errno::EEXIST, "mkdir").path(directory).hint("it is not a directory"),
        Errno::EACCES if error.hint.is_none() => {
            error.hint("only root may create names; set.path() works without a name")
        }
        _ => error,
    })?;
    if !netns_directory::is_standard(directory) {
        return Ok(held);
    }
    match mount_tree::share_all(held.as_fd()) {
        // It is not a mount point yet.
        Err(Errno::EINVAL) => mount_and_share(directory, &held),
        other => Ok(other.map(|()| held).map_err(|errno| explain_share(errno, directory))?),
    }
}

fn mount_and_share(directory: &Path, held: &OwnedFd) -> Result<OwnedFd> {
    let explain = |errno| explain_share(errno, directory);
    let _lock = lock(directory, held)?;
    // Another process may have mounted it before this one got the lock.
    let held = open_directory(directory)?;
    match mount_tree::share_all(held.as_fd()) {
        Err(Errno::EINVAL) => {}
        other => return Ok(other.map(|()| held).map_err(explain)?),
    }
    let mount = mount_tree::bind_all(held.as_fd(), held.as_fd()).map_err(explain)?;
    if let Err(errno) = mount_tree::share_all(mount.as_fd()) {
        let _ = mount_tree::detach(mount.as_fd());
        return Err(explain(errno).into());
    }
    Ok(mount)
}

fn explain_share(errno: Errno, directory: &Path) -> Box<SystemError> {
    SystemError::new(errno, "mount(MS_SHARED)").path(directory)
}

/// Takes the same lock as iproute2, so that two processes that prepare the directory at once do not mount it twice.
fn lock(directory: &Path, held: &OwnedFd) -> Result<Flock<File>> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let opened = uninterrupted(|| openat(held, ".", flags, Mode::empty()));
    let mut file = File::from(opened.map_err(|errno| SystemError::new(errno, "open").path(directory))?);
    let deadline = Instant::now() + PATIENCE;
    loop {
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => return Ok(lock),
            Err((_, errno)) if !matches!(errno, Errno::EWOULDBLOCK | Errno::EINTR) || Instant::now() > deadline => {
                return Err(SystemError::new(errno, "flock").path(directory).into());
            }
            Err((unlocked, _)) => file = unlocked,
        }
        sleep(Duration::from_millis(1));
    }
}

fn failed(error: &io::Error, syscall: &'static str, path: &Path) -> Box<SystemError> {
    SystemError::new(last_errno(error), syscall).path(path)
}

/// A name that is removed with its holder. Everything that the removal needs is held from the start, so that it works
/// when no descriptor is free. The mount itself is not held, because that would keep others from unmounting it.
#[derive(Debug)]
pub struct TemporaryName {
    entry: Entry,
    /// The file below the mount.
    file: OwnedFd,
    id: NamespaceId,
    is_removed: bool,
}

impl TemporaryName {
    /// Gives the namespace a name until this is dropped.
    pub fn attach(directory: &Path, name: &str, namespace: &Namespace) -> Result<Self> {
        let Mounted { entry, target, .. } = attach_one(directory, name, namespace)?;
        Ok(Self { entry, file: target, id: namespace.id(), is_removed: false })
    }

    /// Removes the name. It is no error if the name was removed already, or is the name of another namespace by now,
    /// which stays.
    pub fn remove(mut self) -> Result<()> {
        self.remove_once()
    }

    /// Keeps the name after this is dropped.
    pub fn keep(mut self) {
        self.is_removed = true;
    }

    fn remove_once(&mut self) -> Result<()> {
        if std::mem::replace(&mut self.is_removed, true) {
            return Ok(());
        }
        let there = match self.entry.stat() {
            Err(Errno::ENOENT) => return Ok(()),
            other => other.map_err(|errno| self.entry.error(errno, "stat"))?,
        };
        if (NamespaceId { dev: there.st_dev, ino: there.st_ino }) == self.id {
            insist(|| mount_tree::detach_below(self.entry.directory(), self.entry.name()))
                .map_err(|errno| explain_unmount(errno, &self.entry))?;
        }
        let file = insist(|| fstat(&self.file)).map_err(|errno| self.entry.error(errno, "fstat"))?;
        remove_file(&self.entry, &file)
    }
}

impl Drop for TemporaryName {
    fn drop(&mut self) {
        // The garbage collector has no caller to report an error to.
        let _ = self.remove_once();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_is_not_there_has_no_names() {
        assert_eq!(list(Path::new("/nonexistent/netns")).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn a_file_without_a_namespace_is_not_listed() {
        assert_eq!(list(Path::new("/etc")).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn a_file_without_a_namespace_is_not_removed() {
        assert!(remove(Path::new("/etc"), "passwd").is_err());
        assert!(Path::new("/etc/passwd").exists());
    }
}
