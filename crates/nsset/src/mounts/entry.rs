//! A name in a directory that is held open: the name stays in that directory, even if the path leads elsewhere by now.

use std::{
    ffi::{OsStr, OsString},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::{Path, PathBuf},
    sync::Arc,
};

use nix::{
    errno::Errno,
    fcntl::{AtFlags, OFlag, openat},
    sys::stat::{FileStat, Mode, SFlag, fstat, fstatat},
    unistd::{UnlinkatFlags, unlinkat},
};

use crate::{
    error::SystemError,
    mounts::walk::{is_type, open_directory},
    retry::{insist, uninterrupted},
};

/// A directory, and a name in it.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    directory: Arc<OwnedFd>,
    name: OsString,
    /// The path as the user wrote it, for messages.
    path: PathBuf,
}

impl Entry {
    /// The entry at a path; `None` for a path that can only be a directory: `/`, `..`, `.`.
    pub(crate) fn at(path: &Path) -> Result<Option<Self>, Box<SystemError>> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return Ok(None) };
        let directory = open_directory(parent).map_err(|error| error.path(path))?;
        Ok(Some(Self { directory: Arc::new(directory), name: name.into(), path: path.into() }))
    }

    /// A name in a directory that is at `path`.
    pub(crate) fn below(directory: &Arc<OwnedFd>, path: &Path, name: impl AsRef<OsStr>) -> Self {
        let name = name.as_ref();
        Self { directory: Arc::clone(directory), name: name.into(), path: path.join(name) }
    }

    pub(crate) fn directory(&self) -> BorrowedFd<'_> {
        self.directory.as_fd()
    }

    pub(crate) fn name(&self) -> &OsStr {
        &self.name
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Creates an empty file of mode 0. By this mode `unmount` recognises a file that was created for a mount; iproute2
    /// creates such files, too.
    pub(crate) fn create(&self) -> Result<(OwnedFd, FileStat), Errno> {
        let flags = OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_RDONLY | OFlag::O_CLOEXEC;
        let file = uninterrupted(|| openat(&*self.directory, self.name.as_os_str(), flags, Mode::empty()))?;
        match fstat(&file) {
            Ok(stat) => Ok((file, stat)),
            Err(errno) => {
                // The file was created just before.
                let _ = self.unlink();
                Err(errno)
            }
        }
    }

    /// Opens the entry with `O_PATH`; a symbolic link is opened itself.
    pub(crate) fn open(&self) -> Result<OwnedFd, Errno> {
        let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        uninterrupted(|| openat(&*self.directory, self.name.as_os_str(), flags, Mode::empty()))
    }

    /// The status of the entry. This needs no descriptor.
    pub(crate) fn stat(&self) -> Result<FileStat, Errno> {
        insist(|| fstatat(&*self.directory, self.name.as_os_str(), AtFlags::AT_SYMLINK_NOFOLLOW))
    }

    /// Removes the name if it is still that of this file, and returns whether it did. Any other file at the name stays.
    pub(crate) fn unlink_if(&self, file: &FileStat) -> Result<bool, Errno> {
        match self.stat() {
            Err(Errno::ENOENT) => return Ok(false),
            Err(errno) => return Err(errno),
            Ok(there) if !is_same(&there, file) => return Ok(false),
            Ok(_) => {}
        }
        match self.unlink() {
            Err(Errno::ENOENT) => Ok(false),
            other => other.map(|()| true),
        }
    }

    fn unlink(&self) -> Result<(), Errno> {
        insist(|| unlinkat(&*self.directory, self.name.as_os_str(), UnlinkatFlags::NoRemoveDir))
    }

    pub(crate) fn error(&self, errno: Errno, syscall: &'static str) -> Box<SystemError> {
        SystemError::new(errno, syscall).path(&self.path)
    }
}

/// Whether both are the same file.
pub(crate) fn is_same(one: &FileStat, other: &FileStat) -> bool {
    (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)
}

/// Whether it is an empty regular file.
pub(crate) fn is_empty_file(stat: &FileStat) -> bool {
    is_type(stat, SFlag::S_IFREG) && stat.st_size == 0
}

/// Whether [`Entry::create`] creates such a file.
pub(crate) fn is_made_for_it(stat: &FileStat) -> bool {
    is_empty_file(stat) && stat.st_mode == SFlag::S_IFREG.bits()
}
