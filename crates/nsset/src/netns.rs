//! Network namespaces by name, as ip-netns(8) has them: files in one directory, a namespace mounted on each.

use std::{
    fs::{self, DirBuilder, File},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    thread::sleep,
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    fcntl::{Flock, FlockArg, OFlag},
    mount::{MsFlags, mount},
    sys::stat::SFlag,
};

use crate::{
    error::{Error, Result, SystemError, last_errno},
    kind::Kind,
    mount::{mount_anew, unmount},
    namespace::{Namespace, NamespaceId},
    source::from_path,
};

/// Where iproute2 looks for names.
pub const DIRECTORY: &str = "/run/netns";

/// How long the directory may be held by somebody else who prepares it, too.
const PATIENCE: Duration = Duration::from_secs(1);

/// Gives a network namespace a name that nothing has yet. The directory is made if need be.
pub fn attach(directory: &Path, name: &str, namespace: &Namespace) -> Result<()> {
    let path = path_of(directory, name)?;
    prepare(directory)?;
    mount_anew(namespace, &path)
}

/// Takes a name away; the namespace lives on where something else holds it.
pub fn remove(directory: &Path, name: &str) -> Result<()> {
    let path = path_of(directory, name)?;
    match identity(&path) {
        Ok(_) => unmount(&path),
        Err(_) if is_leftover(&path) => fs::remove_file(&path).map_err(|error| failed(&error, "unlink", &path).into()),
        Err(error) => Err(error),
    }
}

/// Takes a name away if it is still that of this namespace.
pub fn remove_if_still(directory: &Path, name: &str, id: NamespaceId) -> Result<()> {
    let path = path_of(directory, name)?;
    if identity(&path).is_ok_and(|there| there == id) { unmount(&path) } else { Ok(()) }
}

/// The names, sorted. What is in the directory and is no network namespace is left out.
pub fn list(directory: &Path) -> Result<Vec<String>> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(|error| failed(&error, "opendir", directory))?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| failed(&error, "readdir", directory))?;
        if let Ok(name) = entry.file_name().into_string()
            && identity(&entry.path()).is_ok()
        {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Where the name is: it is one component of a path.
pub fn path_of(directory: &Path, name: &str) -> Result<PathBuf> {
    let is_component = !matches!(name, "" | "." | "..") && name.len() <= 255 && !name.contains(['/', '\0']);
    if is_component {
        return Ok(directory.join(name));
    }
    let shown = name.replace('\0', "\\0");
    Err(Error::InvalidArgument(format!("a name has 1 to 255 bytes, no '/', and is neither . nor ..; not '{shown}'")))
}

fn identity(path: &Path) -> Result<NamespaceId> {
    Ok(from_path(path, Some(Kind::Net))?.get(Kind::Net)?.id())
}

/// The file of a name whose namespace is not mounted (any more), as it was made: empty and of mode 0.
fn is_leftover(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|file| file.len() == 0 && file.mode() == SFlag::S_IFREG.bits())
}

/// Makes the directory, and the standard one a shared mount, so that a name appears and goes in every mount namespace that
/// has a copy of the directory, and none keeps a namespace alive.
fn prepare(directory: &Path) -> Result<()> {
    let made = DirBuilder::new().recursive(true).mode(0o755).create(directory);
    made.map_err(|error| {
        let error = failed(&error, "mkdir", directory);
        if error.errno == Errno::EACCES { error.hint("names are for root; set.path() needs none") } else { error }
    })?;
    if directory == Path::new(DIRECTORY) { share(directory) } else { Ok(()) }
}

fn share(directory: &Path) -> Result<()> {
    let explain = |errno| SystemError::new(errno, "mount(MS_SHARED)").path(directory);
    let _lock = lock(directory)?;
    match propagate(directory) {
        // It is no mount yet.
        Err(Errno::EINVAL) => {}
        other => return other.map_err(|errno| explain(errno).into()),
    }
    mount(Some(directory), directory, None::<&str>, MsFlags::MS_BIND | MsFlags::MS_REC, None::<&str>)
        .and_then(|()| propagate(directory))
        .map_err(|errno| explain(errno).into())
}

fn propagate(directory: &Path) -> nix::Result<()> {
    mount(None::<&str>, directory, None::<&str>, MsFlags::MS_SHARED | MsFlags::MS_REC, None::<&str>)
}

/// As iproute2 does, so that two that prepare it at once do not mount it twice.
fn lock(directory: &Path) -> Result<Flock<File>> {
    let opened = fs::OpenOptions::new().read(true).custom_flags(OFlag::O_DIRECTORY.bits()).open(directory);
    let mut file = opened.map_err(|error| failed(&error, "open", directory))?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => return Ok(lock),
            Err((_, errno)) if errno != Errno::EWOULDBLOCK || Instant::now() > deadline => {
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

/// A name that goes with its holder.
#[derive(Debug)]
pub struct TemporaryName {
    directory: PathBuf,
    name: String,
    id: NamespaceId,
}

impl TemporaryName {
    /// Gives the namespace a name until this is dropped.
    pub fn attach(directory: &Path, name: &str, namespace: &Namespace) -> Result<Self> {
        attach(directory, name, namespace)?;
        Ok(Self { directory: directory.into(), name: name.into(), id: namespace.id() })
    }
}

impl Drop for TemporaryName {
    fn drop(&mut self) {
        // Somebody may have removed it, or given it to another: that stays.
        let _ = remove_if_still(&self.directory, &self.name, self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_component_of_a_path() {
        let directory = Path::new("/run/netns");
        for name in ["a", "blue.1", "-", "...", &"x".repeat(255)] {
            assert_eq!(path_of(directory, name).unwrap(), directory.join(name));
        }
        for name in ["", ".", "..", "a/b", "/a", "a\0b", &"x".repeat(256)] {
            assert!(path_of(directory, name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn a_directory_that_is_not_there_has_no_names() {
        assert_eq!(list(Path::new("/nonexistent/netns")).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn what_is_no_namespace_is_not_listed() {
        assert_eq!(list(Path::new("/etc")).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn what_is_no_namespace_is_not_removed() {
        assert!(remove(Path::new("/etc"), "passwd").is_err());
        assert!(Path::new("/etc/passwd").exists());
    }
}
