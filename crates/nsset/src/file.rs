//! Files in the mount namespace of a set, and configuration files as the calling thread sees them.

use std::{
    fs::File,
    io::Read,
    os::fd::{AsRawFd, OwnedFd},
    path::Path,
};

use nix::{
    errno::Errno,
    fcntl::{AT_FDCWD, OFlag, openat},
    sys::stat::{FileStat, Mode, SFlag, fstat, makedev},
};
use nsset_helper::protocol::MOST_CONTENT;

use crate::{
    error::{Error, Result, SystemError, last_errno},
    helper::joining,
    helper::network_entry::Answer,
    helper::program::{Label, Program},
    helper::supervisor::{self, Outcome},
    kind::{Kind, Kinds},
    namespaces::set::NamespaceSet,
    proc,
    retry::uninterrupted,
};

/// Reads a file of at most 16 MiB by its absolute path in the mount namespace of the set. This needs the helper,
/// because a thread of Node.js cannot enter a mount namespace and return. A program inside may delay it for up to ten
/// seconds.
///
/// A FIFO, a socket or a device is not opened, except that the device of `/dev/null` counts as an empty file.
///
/// ```no_run
/// # fn main() -> nsset::Result<()> {
/// use nsset::{Kinds, from_pid, read_file};
///
/// let set = from_pid(1, None)?;
/// let hosts = read_file(&set, Kinds::ALL, "/etc/hosts".as_ref())?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Error::NotInSet`] without `mnt`, [`Error::InvalidArgument`] for a path that is not absolute, and [`Error::System`]
/// with the error of open(2) or read(2), `EINVAL` for anything but a file or directory, and `EFBIG` for a larger file.
pub fn read_file(set: &NamespaceSet, kinds: Kinds, path: &Path) -> Result<Vec<u8>> {
    let proc = proc::hold()?;
    // openat(2) uses the directory only for relative paths.
    let answer = among_mounts(set, kinds, path, |program| program.read_file(proc, path, label("read", path)))
        .map_err(|error| explain(error, path))?;
    Ok(answer.content.ok_or_else(|| SystemError::new(Errno::EPROTO, "recvmsg"))?)
}

/// Finds a directory by its absolute path in the mount namespace of the set. The descriptor is a place for names
/// (`O_PATH`, open(2)): it stays the same if a program inside renames the directory. A program inside may delay this for
/// up to ten seconds.
///
/// # Errors
/// As [`read_file`], with the error of open(2).
pub fn hold_directory(set: &NamespaceSet, kinds: Kinds, path: &Path) -> Result<OwnedFd> {
    descriptor(among_mounts(set, kinds, path, |program| program.hold(path, label("open", path)))?)
}

/// Creates a unix socket for connections that is bound to an absolute path in the mount namespace of the set. Its file
/// belongs to the mapped user. A program inside may delay this for up to ten seconds.
///
/// # Errors
/// As [`read_file`], with the error of bind(2).
pub fn bind_unix_socket(set: &NamespaceSet, kinds: Kinds, path: &Path) -> Result<OwnedFd> {
    descriptor(among_mounts(set, kinds, path, |program| program.unix_socket(path, label("bind", path)))?)
}

fn label(syscall: &'static str, path: &Path) -> Label {
    Label { kind: Some(Kind::Mnt), path: Some(path.to_owned()), ..Label::new(syscall) }
}

/// Has the helper run a step in the `mnt` namespace of the set, and in its `user` namespace.
fn among_mounts<'fd>(
    set: &NamespaceSet,
    kinds: Kinds,
    path: &Path,
    step: impl FnOnce(&mut Program<'fd>) -> Result<()>,
) -> Result<Answer> {
    set.get(Kind::Mnt)?;
    if !path.is_absolute() {
        return Err(Error::InvalidArgument(format!("the path has to be absolute: {}", path.display())));
    }
    let mut program = Program::new();
    let joined = joining::enter(&mut program, set, kinds.only(Kind::User).with(Kind::Mnt))?;
    if joined.contains(Kind::User) {
        program.mapped_ids();
    }
    step(&mut program)?;
    let Outcome { socket, content, helper, .. } = supervisor::run(&program, &[], None, &mut |_| Ok(()))?;
    supervisor::dismiss(helper.process);
    Ok(Answer { socket, content })
}

fn descriptor(answer: Answer) -> Result<OwnedFd> {
    Ok(answer.socket.ok_or_else(|| SystemError::new(Errno::EPROTO, "recvmsg"))?)
}

/// Whether the calling thread sees the files of the set, with the rights that a process of the set has: it is in the
/// `mnt` and `user` namespaces of the set, if the set has them.
pub fn sees_files_of(set: &NamespaceSet) -> bool {
    joining::foreign(set, Kinds::NONE.with(Kind::Mnt).with(Kind::User)).is_empty()
}

/// A file that was found, and not opened yet.
#[derive(Debug)]
pub struct Found<'a> {
    path: &'a Path,
    held: OwnedFd,
    stat: FileStat,
}

/// Finds a file as the calling thread sees it; `None` if there is none.
///
/// # Errors
/// [`Error::System`] with the error of open(2).
pub fn find_file(path: &Path) -> Result<Option<Found<'_>>> {
    let failed = |errno, syscall| Error::from(SystemError::new(errno, syscall).path(path));
    let held = match uninterrupted(|| openat(AT_FDCWD, path, OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty())) {
        Ok(held) => held,
        Err(Errno::ENOENT | Errno::ENOTDIR) => return Ok(None),
        Err(errno) => return Err(failed(errno, "open")),
    };
    let stat = fstat(&held).map_err(|errno| failed(errno, "fstat"))?;
    Ok(Some(Found { path, held, stat }))
}

impl Found<'_> {
    /// Changes if the file is replaced or modified.
    pub fn stamp(&self) -> String {
        let FileStat { st_dev, st_ino, st_size, st_mtime, st_mtime_nsec, .. } = self.stat;
        format!("{st_dev} {st_ino} {st_size} {st_mtime} {st_mtime_nsec}")
    }

    /// Reads the content. A FIFO, a socket or a device is not opened, except that the device of `/dev/null` counts as
    /// an empty file.
    ///
    /// # Errors
    /// [`Error::System`] with the error of open(2) or read(2), `EINVAL` for anything but a file, and `EFBIG` for a file
    /// of more than `most` bytes.
    pub fn read(self, most: usize) -> Result<Vec<u8>> {
        let Self { path, held, stat } = self;
        let failed = |errno, syscall| Error::from(SystemError::new(errno, syscall).path(path));
        let kind = SFlag::from_bits_truncate(stat.st_mode & SFlag::S_IFMT.bits());
        if kind == SFlag::S_IFCHR && stat.st_rdev == makedev(1, 3) {
            return Ok(Vec::new());
        }
        if kind == SFlag::S_IFDIR {
            return Err(failed(Errno::EISDIR, "read"));
        }
        if kind != SFlag::S_IFREG {
            return Err(SystemError::new(Errno::EINVAL, "read").path(path).hint(NO_FILE).into());
        }
        // Opened by the descriptor, since the path may lead to another file by now.
        let flags = OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
        let opened = proc::open_below(format!("self/fd/{}", held.as_raw_fd()), flags);
        let file = opened.map(File::from).map_err(|errno| failed(errno, "open"))?;
        let mut content = Vec::new();
        let read = file.take(most as u64 + 1).read_to_end(&mut content);
        read.map_err(|error| failed(last_errno(&error), "read"))?;
        if content.len() > most {
            return Err(too_large(path, most).into());
        }
        Ok(content)
    }
}

fn explain(error: Error, path: &Path) -> Error {
    match error {
        Error::System(error) if error.syscall == "read" => match error.errno {
            Errno::EFBIG => too_large(path, MOST_CONTENT).kind(Kind::Mnt).into(),
            Errno::EINVAL => error.hint(NO_FILE).into(),
            _ => error.into(),
        },
        other => other,
    }
}

const NO_FILE: &str = "it is not a regular file";

fn too_large(path: &Path, most: usize) -> Box<SystemError> {
    let hint = format!("it is larger than {} KiB", most / 1024);
    SystemError::new(Errno::EFBIG, "read").path(path).hint(hint)
}
