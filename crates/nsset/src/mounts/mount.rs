//! Mounts the namespaces of a set in the file system, and unmounts them. A path is looked up once, so that the file
//! that was checked is the file that is mounted on, unmounted or removed.

use std::{
    os::fd::{AsFd, OwnedFd},
    path::{Path, PathBuf},
    sync::Arc,
};

use nix::{
    errno::Errno,
    sys::stat::{FileStat, SFlag, fstat},
};

use crate::{
    error::{Result, SystemError},
    kind::{Kind, Kinds},
    mounts::entry::{Entry, is_made_for_it},
    mounts::mount_tree,
    mounts::walk::{is_type, open_directory},
    namespaces::namespace::Namespace,
    namespaces::set::NamespaceSet,
    namespaces::source::is_namespace_file,
    retry::insist,
};

/// Mounts every namespace of the set into a directory, each under the name of its kind.
pub fn mount_into_directory(set: &NamespaceSet, directory: &Path) -> Result<()> {
    let held = open_directory(directory).map_err(|error| match error.errno {
        Errno::ENOENT => error.hint("the directory has to exist"),
        Errno::ENOTDIR => error.hint("a single path has to be a directory; to mount onto files, pass { kind: file }"),
        _ => error,
    })?;
    let held = Arc::new(held);
    mount_all(set, set.kinds().iter().map(|kind| (kind, Ok(Entry::below(&held, directory, kind.name())))))
}

/// Mounts each namespace onto its file. After an error none is mounted.
pub fn mount_onto_files(set: &NamespaceSet, targets: &[(Kind, PathBuf)]) -> Result<()> {
    mount_all(set, targets.iter().map(|(kind, path)| (*kind, file_at(path))))
}

fn file_at(path: &Path) -> Result<Entry> {
    let no_file = || SystemError::new(Errno::EISDIR, "open").path(path);
    Ok(Entry::at(path)?.ok_or_else(no_file)?)
}

fn mount_all(set: &NamespaceSet, targets: impl Iterator<Item = (Kind, Result<Entry>)>) -> Result<()> {
    let mut done = Vec::new();
    for (kind, entry) in targets {
        match set.get(kind).and_then(|namespace| mount_one(namespace, entry?)) {
            Ok(mounted) => done.push(mounted),
            Err(error) => {
                done.into_iter().rev().for_each(Mounted::undo);
                return Err(error);
            }
        }
    }
    Ok(())
}

/// A mount, with everything that is needed to undo it.
#[derive(Debug)]
pub(crate) struct Mounted {
    pub(crate) entry: Entry,
    /// Holds the mount.
    mount: OwnedFd,
    /// Holds the file below the mount, so that its inode number is not reused.
    pub(crate) target: OwnedFd,
    created: Option<FileStat>,
}

impl Mounted {
    fn undo(self) {
        // This fails only if root has unmounted it since.
        let _ = insist(|| mount_tree::detach(self.mount.as_fd()));
        drop(self.mount);
        if let Some(file) = self.created {
            let _ = self.entry.unlink_if(&file);
        }
    }
}

/// Mounts a namespace onto a new file. It is an error if the name exists.
pub(crate) fn mount_anew(namespace: &Namespace, entry: Entry) -> Result<Mounted> {
    let (target, created) = entry.create().map_err(|errno| {
        let error = entry.error(errno, "open");
        if errno == Errno::EEXIST { error.hint("the name is taken") } else { error }
    })?;
    mount_to(namespace, entry, target, Some(created))
}

fn mount_one(namespace: &Namespace, entry: Entry) -> Result<Mounted> {
    let (target, created) = open_target(&entry)?;
    mount_to(namespace, entry, target, created)
}

fn mount_to(namespace: &Namespace, entry: Entry, target: OwnedFd, created: Option<FileStat>) -> Result<Mounted> {
    // Both are descriptors, so that the namespace is mounted on the file that was checked, even if the path leads
    // elsewhere by now.
    match mount_tree::bind(namespace.as_fd(), target.as_fd()) {
        Ok(mount) => Ok(Mounted { entry, mount, target, created }),
        Err(errno) => {
            if let Some(file) = created {
                let _ = entry.unlink_if(&file);
            }
            Err(explain_mount(errno, namespace.kind(), entry.path()).into())
        }
    }
}

/// The file to mount on: a new one, with its status, or an existing empty regular file.
fn open_target(entry: &Entry) -> Result<(OwnedFd, Option<FileStat>)> {
    match entry.create() {
        Ok((file, created)) => return Ok((file, Some(created))),
        Err(Errno::EEXIST) => {}
        Err(errno) => return Err(entry.error(errno, "open").into()),
    }
    let target = entry.open().map_err(|errno| entry.error(errno, "open"))?;
    let refuse = |hint| Err(entry.error(Errno::EEXIST, "mount").hint(hint).into());
    let stat = fstat(&target).map_err(|errno| entry.error(errno, "fstat"))?;
    if !is_type(&stat, SFlag::S_IFREG) {
        return refuse("something is there that is not an empty regular file (a symbolic link is not followed)");
    }
    if is_namespace(entry, &target)? {
        return refuse("a namespace is mounted there already");
    }
    if stat.st_size != 0 {
        return refuse("a file with content is there, and is left as it is");
    }
    Ok((target, None))
}

fn explain_mount(errno: Errno, kind: Kind, path: &Path) -> Box<SystemError> {
    // move_mount(2) fails with ELOOP where mount(2) fails with EINVAL, which is the documented error.
    let errno = if errno == Errno::ELOOP { Errno::EINVAL } else { errno };
    let error = SystemError::new(errno, "mount").kind(kind).path(path);
    match (errno, kind) {
        (Errno::EINVAL, Kind::Mnt) => error.hint(
            "a mount namespace can be mounted only from an older one, never into itself, and only where the mount is \
             private (mount_namespaces(7))",
        ),
        (Errno::EPERM, _) => error.hint(
            "mounting needs CAP_SYS_ADMIN in the user namespace that owns the mount namespace; set.path() needs no mount",
        ),
        _ => error,
    }
}

/// Unmounts the namespace at a path, or those in a directory under the names of their kinds, and removes the files that
/// were created for them.
pub fn unmount(path: &Path) -> Result<()> {
    let Some(entry) = Entry::at(path)? else { return unmount_directory(open_directory(path)?, path) };
    let held = entry.open().map_err(|errno| entry.error(errno, "open"))?;
    let stat = fstat(&held).map_err(|errno| entry.error(errno, "fstat"))?;
    if is_type(&stat, SFlag::S_IFDIR) {
        return unmount_directory(held, path);
    }
    if !is_namespace(&entry, &held)? {
        return Err(refuse_unmount(path));
    }
    unmount_one(&entry, held)
}

fn unmount_directory(directory: OwnedFd, path: &Path) -> Result<()> {
    let directory = Arc::new(directory);
    let mut any = false;
    for kind in Kinds::ALL.iter() {
        let entry = Entry::below(&directory, path, kind.name());
        let held = match entry.open() {
            Err(Errno::ENOENT) => continue,
            other => other.map_err(|errno| entry.error(errno, "open"))?,
        };
        if is_namespace(&entry, &held)? {
            unmount_one(&entry, held)?;
            any = true;
        }
    }
    if any { Ok(()) } else { Err(refuse_unmount(path)) }
}

pub(crate) fn is_namespace(entry: &Entry, held: &OwnedFd) -> std::result::Result<bool, Box<SystemError>> {
    is_namespace_file(held.as_fd()).map_err(|errno| entry.error(errno, "fstatfs"))
}

/// Unmounts the namespace that is held, and removes the file below it if it is as we create them: regular, empty, and
/// of mode 0. Any other file stays.
fn unmount_one(entry: &Entry, held: OwnedFd) -> Result<()> {
    let namespace = fstat(&held).map_err(|errno| entry.error(errno, "fstat"))?;
    mount_tree::detach(held.as_fd()).map_err(|errno| explain_unmount(errno, entry))?;
    drop(held);
    match entry.stat() {
        Err(Errno::ENOENT) => Ok(()),
        Err(errno) => Err(entry.error(errno, "stat").into()),
        // All namespaces have the device of one file system, nsfs.
        Ok(there) if there.st_dev == namespace.st_dev => {
            let hint = "one namespace was unmounted; another one is mounted below it, and stays";
            Err(entry.error(Errno::EBUSY, "umount2").hint(hint).into())
        }
        Ok(file) if is_made_for_it(&file) => remove_file(entry, &file),
        Ok(_) => Ok(()),
    }
}

/// Removes the file on which a namespace was mounted.
pub(crate) fn remove_file(entry: &Entry, file: &FileStat) -> Result<()> {
    entry.unlink_if(file).map(drop).map_err(|errno| explain_unlink(errno, entry).into())
}

pub(crate) fn explain_unmount(errno: Errno, entry: &Entry) -> Box<SystemError> {
    let error = entry.error(errno, "umount2");
    match errno {
        Errno::EPERM => {
            error.hint("unmounting needs CAP_SYS_ADMIN in the user namespace that owns the mount namespace")
        }
        Errno::EINVAL => {
            error.hint("it was mounted in another mount namespace than the caller's, or has just been unmounted")
        }
        _ => error,
    }
}

fn explain_unlink(errno: Errno, entry: &Entry) -> Box<SystemError> {
    let error = entry.error(errno, "unlink");
    match errno {
        Errno::EROFS => error.hint("the namespace was unmounted, but the file system is read-only: the file stays"),
        Errno::EPERM | Errno::EACCES => {
            error.hint("the namespace was unmounted, but the file may not be removed, and stays")
        }
        Errno::EBUSY => {
            error.hint("the namespace was unmounted, but something else is mounted there: it and the file stay")
        }
        _ => error,
    }
}

fn refuse_unmount(path: &Path) -> crate::error::Error {
    let hint = "no namespace is mounted there, and nothing else is unmounted";
    SystemError::new(Errno::EINVAL, "umount2").path(path).hint(hint).into()
}
