//! Gives the namespaces of a set names in the file system, and takes the names away again.

use std::{
    fs,
    os::fd::{AsFd, OwnedFd},
    path::{Path, PathBuf},
};

use nix::{
    errno::Errno,
    fcntl::{OFlag, open},
    mount::{MntFlags, umount2},
    sys::stat::{Mode, SFlag, fstat},
};

use crate::{
    error::{Result, SystemError},
    kind::{Kind, Kinds},
    mount_tree,
    namespace::Namespace,
    set::NamespaceSet,
    source::is_namespace_file,
};

/// Mounts every namespace of the set into a directory, each under the name of its kind.
pub fn mount_into_directory(set: &NamespaceSet, directory: &Path) -> Result<()> {
    let stat = nix::sys::stat::stat(directory).map_err(|errno| {
        let error = SystemError::new(errno, "stat").path(directory);
        if errno == Errno::ENOENT { error.hint("the directory has to exist") } else { error }
    })?;
    if stat.st_mode & SFlag::S_IFMT.bits() != SFlag::S_IFDIR.bits() {
        let hint = "one path is taken as a directory for all; to mount onto files, give { kind: file }";
        return Err(SystemError::new(Errno::ENOTDIR, "stat").path(directory).hint(hint).into());
    }
    let targets: Vec<_> = set.kinds().iter().map(|kind| (kind, directory.join(kind.name()))).collect();
    mount_onto_files(set, &targets)
}

/// Mounts each namespace onto its file: all of them or none.
pub fn mount_onto_files(set: &NamespaceSet, targets: &[(Kind, PathBuf)]) -> Result<()> {
    let mut done: Vec<Mounted> = Vec::with_capacity(targets.len());
    for (kind, path) in targets {
        let mounted = set.get(*kind).and_then(|namespace| mount_one(namespace, path));
        match mounted {
            Ok(mounted) => done.push(mounted),
            Err(error) => {
                done.into_iter().rev().for_each(Mounted::undo);
                return Err(error);
            }
        }
    }
    Ok(())
}

/// A mount of ours, until all of them are made.
struct Mounted {
    path: PathBuf,
    created: bool,
}

impl Mounted {
    fn undo(self) {
        let _ = umount2(&self.path, MntFlags::MNT_DETACH | MntFlags::UMOUNT_NOFOLLOW);
        if self.created {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Mounts a namespace onto a file that is made for it: what is there already is an error, whatever it is.
pub fn mount_anew(namespace: &Namespace, path: &Path) -> Result<()> {
    let target = create_target(path).map_err(|errno| {
        let error = SystemError::new(errno, "open").path(path);
        if errno == Errno::EEXIST { error.hint("the name is taken") } else { error }
    })?;
    mount_to(namespace, path, &target, true).map(drop)
}

fn mount_one(namespace: &Namespace, path: &Path) -> Result<Mounted> {
    let (target, created) = open_target(path)?;
    mount_to(namespace, path, &target, created)
}

fn mount_to(namespace: &Namespace, path: &Path, target: &OwnedFd, created: bool) -> Result<Mounted> {
    // Both by descriptor: what was checked is what is mounted on, wherever the path may lead by now.
    match mount_tree::bind(namespace.as_fd(), target.as_fd()) {
        Ok(()) => Ok(Mounted { path: path.into(), created }),
        Err(errno) => {
            if created {
                let _ = fs::remove_file(path);
            }
            Err(explain_mount(errno, namespace.kind(), path).into())
        }
    }
}

/// The file to mount on: made here, or an empty regular file that was there.
fn open_target(path: &Path) -> Result<(OwnedFd, bool)> {
    match create_target(path) {
        Ok(fd) => return Ok((fd, true)),
        Err(Errno::EEXIST) => {}
        Err(errno) => return Err(SystemError::new(errno, "open").path(path).into()),
    }
    let target = open(path, OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC, Mode::empty())
        .map_err(|errno| SystemError::new(errno, "open").path(path))?;
    let refuse = |hint| Err(SystemError::new(Errno::EEXIST, "mount").path(path).hint(hint).into());
    let stat = fstat(&target).map_err(|errno| SystemError::new(errno, "fstat").path(path))?;
    if stat.st_mode & SFlag::S_IFMT.bits() != SFlag::S_IFREG.bits() {
        return refuse("something is there that is not an empty regular file (a symbolic link is not followed)");
    }
    if is_namespace_file(target.as_fd()) {
        return refuse("a namespace is mounted there already");
    }
    if stat.st_size != 0 {
        return refuse("a file with content is there, and is left as it is");
    }
    Ok((target, false))
}

/// Mode 0 is the mark by which `unmount` knows a file that was made for this, as iproute2 leaves them too.
fn create_target(path: &Path) -> std::result::Result<OwnedFd, Errno> {
    open(path, OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty())
}

fn explain_mount(errno: Errno, kind: Kind, path: &Path) -> Box<SystemError> {
    // move_mount(2) says ELOOP where mount(2) says EINVAL, which is what people look up.
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

/// Unmounts the namespace at a path, or those in a directory under the names of their kinds, and removes the files
/// that were made for them.
pub fn unmount(path: &Path) -> Result<()> {
    let held = open(path, OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC, Mode::empty())
        .map_err(|errno| SystemError::new(errno, "open").path(path))?;
    let stat = fstat(&held).map_err(|errno| SystemError::new(errno, "fstat").path(path))?;
    if stat.st_mode & SFlag::S_IFMT.bits() == SFlag::S_IFDIR.bits() {
        return unmount_directory(path);
    }
    unmount_one(path, held)
}

fn unmount_directory(directory: &Path) -> Result<()> {
    let mut any = false;
    for kind in Kinds::ALL.iter() {
        let path = directory.join(kind.name());
        let held = open(&path, OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC, Mode::empty());
        if let Some(held) = held.ok().filter(|held| is_namespace_file(held.as_fd())) {
            unmount_one(&path, held)?;
            any = true;
        }
    }
    if any { Ok(()) } else { Err(refuse_unmount(directory)) }
}

fn unmount_one(path: &Path, held: OwnedFd) -> Result<()> {
    if !is_namespace_file(held.as_fd()) {
        return Err(refuse_unmount(path));
    }
    drop(held);
    umount2(path, MntFlags::MNT_DETACH | MntFlags::UMOUNT_NOFOLLOW)
        .map_err(|errno| SystemError::new(errno, "umount2").path(path))?;
    remove_if_made_for_it(path);
    Ok(())
}

/// A file of somebody else's stays; ours is a regular file, empty, of mode 0.
fn remove_if_made_for_it(path: &Path) {
    let Ok(stat) = nix::sys::stat::lstat(path) else { return };
    if stat.st_mode == SFlag::S_IFREG.bits() && stat.st_size == 0 {
        let _ = fs::remove_file(path);
    }
}

fn refuse_unmount(path: &Path) -> crate::error::Error {
    let hint = "no namespace is mounted there, and nothing else is unmounted";
    SystemError::new(Errno::EINVAL, "umount2").path(path).hint(hint).into()
}
