//! The file of a unix socket.

use std::{
    io,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
};

use nix::{
    errno::Errno,
    fcntl::{AT_FDCWD, AtFlags, OFlag, openat},
    sys::stat::{FileStat, Mode, SFlag, fstat, fstatat},
    unistd::{UnlinkatFlags, unlinkat},
};

use crate::network_thread::{turns::Line, waiting};

/// A name in a directory that is held, so that it stays the same if the directory is renamed.
pub struct HeldName {
    directory: OwnedFd,
    name: PathBuf,
}

impl HeldName {
    pub const fn new(directory: OwnedFd, name: PathBuf) -> Self {
        Self { directory, name }
    }

    /// As the calling thread sees the path.
    pub fn of(path: &Path) -> nix::Result<Self> {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
        let directory = openat(AT_FDCWD, parent, OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())?;
        Ok(Self { directory, name: path.file_name().map(PathBuf::from).unwrap_or_default() })
    }

    /// Finds the file that has the name now. A program inside may have made it a symbolic link, which would lead to a file of
    /// the outside.
    pub fn find(&self) -> io::Result<OwnedFd> {
        let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let file = openat(&self.directory, &self.name, flags, Mode::empty())?;
        match SFlag::from_bits_truncate(fstat(&file)?.st_mode) & SFlag::S_IFMT {
            SFlag::S_IFLNK => Err(Errno::ELOOP.into()),
            _ => Ok(file),
        }
    }
}

/// The file that bind(2) has made. Dropping this removes it if it is still the same.
pub struct SocketFile {
    place: HeldName,
    /// While it is open, no other file has its inode.
    file: OwnedFd,
}

impl SocketFile {
    pub fn at(place: HeldName) -> io::Result<Self> {
        let file = place.find()?;
        Ok(Self { place, file })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let HeldName { directory, name } = &self.place;
        let (Ok(own), Ok(found)) = (fstat(&self.file), fstatat(directory, name, AtFlags::AT_SYMLINK_NOFOLLOW)) else {
            return;
        };
        if id_of(&found) == id_of(&own) {
            let _ = unlinkat(directory, name, UnlinkatFlags::NoRemoveDir);
        }
    }
}

/// Removes the file on a thread where a file system that does not answer blocks only this.
pub async fn remove(file: Option<SocketFile>) {
    if let Some(file) = file {
        let _ = waiting::run(Line::new(), move || {
            drop(file);
            Ok(())
        })
        .await;
    }
}

const fn id_of(file: &FileStat) -> (u64, u64) {
    (file.st_dev, file.st_ino)
}
