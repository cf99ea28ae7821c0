//! Opens directories, one component at a time and each once, so that no symbolic link of another user leads elsewhere.

use std::{
    ffi::OsStr,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::{Component, Path, PathBuf},
};

use nix::{
    errno::Errno,
    fcntl::{AT_FDCWD, OFlag, OpenHow, ResolveFlag, openat, openat2, readlinkat},
    sys::{
        stat::{FileStat, Mode, SFlag, fstat, mkdirat},
        statfs::{PROC_SUPER_MAGIC, fstatfs},
    },
    unistd::Uid,
};

use crate::{error::SystemError, proc, retry::uninterrupted};

/// The most symbolic links in one lookup, as in the kernel: path_resolution(7).
const MOST_LINKS: u8 = 40;

/// Opens a directory (`O_PATH`). Symbolic links of other ordinary users are followed only to files of the same user.
pub(crate) fn open_directory(path: &Path) -> Result<OwnedFd, Box<SystemError>> {
    Walk::along(path, false)
}

/// The same, but creates the directory and those above it if they are missing.
pub(crate) fn make_directory(path: &Path) -> Result<OwnedFd, Box<SystemError>> {
    Walk::along(path, true)
}

pub(crate) fn is_type(stat: &FileStat, expected: SFlag) -> bool {
    stat.st_mode & SFlag::S_IFMT.bits() == expected.bits()
}

struct Walk {
    at: OwnedFd,
    links: u8,
    makes: bool,
}

/// Why a lookup fails.
enum Stop {
    Failed(Errno, &'static str),
    /// A symbolic link of this user leads to a file of another user.
    Stranger(u32),
}

impl Walk {
    fn along(path: &Path, makes: bool) -> Result<OwnedFd, Box<SystemError>> {
        if let Some(directory) = without_links(path) {
            return Ok(directory);
        }
        let (start, rest) = path.strip_prefix("/").map_or((".", path), |rest| ("/", rest));
        let begin = || Ok(Self { at: open_below(AT_FDCWD, Path::new(start))?, links: 0, makes });
        let walked = begin().and_then(|mut walk| walk.follow(rest).map(|()| walk.at));
        walked.map_err(|stop| explain(stop, path))
    }

    fn follow(&mut self, path: &Path) -> Result<(), Stop> {
        for component in path.components() {
            match component {
                Component::CurDir => {}
                Component::Normal(name) => self.step(name)?,
                Component::RootDir | Component::ParentDir | Component::Prefix(_) => {
                    self.at = open_below(self.at.as_fd(), Path::new(&component))?;
                }
            }
        }
        Ok(())
    }

    fn step(&mut self, name: &OsStr) -> Result<(), Stop> {
        let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let open = || uninterrupted(|| openat(&self.at, name, flags, Mode::empty()));
        let held = match open() {
            Err(Errno::ENOENT) if self.makes => {
                match mkdirat(&self.at, name, Mode::from_bits_retain(0o755)) {
                    Ok(()) | Err(Errno::EEXIST) => {}
                    Err(errno) => return Err(Stop::Failed(errno, "mkdir")),
                }
                open()
            }
            other => other,
        };
        let held = held.map_err(failed_to_open)?;
        let stat = fstat(&held).map_err(failed_to_open)?;
        if is_type(&stat, SFlag::S_IFLNK) {
            return self.follow_link(name, &held, stat.st_uid);
        }
        if !is_type(&stat, SFlag::S_IFDIR) {
            return Err(failed_to_open(Errno::ENOTDIR));
        }
        self.at = held;
        Ok(())
    }

    /// Follows the link that is held, even if the path has another one by now.
    fn follow_link(&mut self, name: &OsStr, link: &OwnedFd, owner: u32) -> Result<(), Stop> {
        self.links += 1;
        if self.links > MOST_LINKS {
            return Err(failed_to_open(Errno::ELOOP));
        }
        if uninterrupted(|| fstatfs(link)).is_ok_and(|stat| stat.filesystem_type() == PROC_SUPER_MAGIC) {
            // The kernel creates these links, and the text of such a link is not always a path.
            self.at = open_below(self.at.as_fd(), Path::new(name))?;
            return Ok(());
        }
        let target = PathBuf::from(readlinkat(link, "").map_err(failed_to_open)?);
        self.follow(&target)?;
        if is_trusted(owner) || fstat(&self.at).is_ok_and(|stat| stat.st_uid == owner) {
            return Ok(());
        }
        Err(Stop::Stranger(owner))
    }
}

/// A path without a link needs no check, so the kernel opens it in one call. Any error is left to the lookup by
/// components, which knows its cause.
fn without_links(path: &Path) -> Option<OwnedFd> {
    let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    openat2(AT_FDCWD, path, OpenHow::new().flags(flags).resolve(ResolveFlag::RESOLVE_NO_SYMLINKS)).ok()
}

fn open_below(at: BorrowedFd<'_>, path: &Path) -> Result<OwnedFd, Stop> {
    let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    uninterrupted(|| openat(at, path, flags, Mode::empty())).map_err(failed_to_open)
}

fn failed_to_open(errno: Errno) -> Stop {
    Stop::Failed(errno, "open")
}

/// Whether links of this user may lead anywhere: those of the caller, of root, and of users that are not mapped in the
/// user namespace, who may be root outside.
fn is_trusted(owner: u32) -> bool {
    owner == 0 || owner == Uid::effective().as_raw() || (owner == OVERFLOW_UID && !proc::sees_all_users())
}

/// The uid of an owner that is not mapped in the user namespace: user_namespaces(7).
const OVERFLOW_UID: u32 = 65534;

fn explain(stop: Stop, path: &Path) -> Box<SystemError> {
    match stop {
        Stop::Failed(errno, syscall) => SystemError::new(errno, syscall).path(path),
        Stop::Stranger(uid) => SystemError::new(Errno::EACCES, "open").path(path).hint(format!(
            "a symbolic link that belongs to uid {uid} leads to a file of another user, and is not followed"
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::fd::AsRawFd, os::unix::fs::symlink};

    use super::*;

    fn place_of(fd: &OwnedFd) -> PathBuf {
        fs::read_link(format!("/proc/self/fd/{}", fd.as_raw_fd())).unwrap()
    }

    fn scratch(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("nsset-walk-{name}-{}", std::process::id()));
        fs::create_dir(&path).unwrap();
        path
    }

    #[test]
    fn a_path_leads_where_the_kernel_would_go() {
        let base = scratch("same");
        fs::create_dir_all(base.join("a/b")).unwrap();
        symlink("a/../a/b", base.join("relative")).unwrap();
        symlink(base.join("a"), base.join("absolute")).unwrap();
        for path in ["a", "a/b/..", "./a//b/", "relative", "absolute/b", "relative/../b", "/proc/self/fd", "/", "/.."] {
            let path = base.join(path);
            assert_eq!(place_of(&open_directory(&path).unwrap()), fs::canonicalize(&path).unwrap(), "{path:?}");
        }
        fs::remove_dir_all(base).unwrap();
    }

    #[test]
    fn a_path_that_is_not_a_directory_is_refused_as_by_the_kernel() {
        let base = scratch("refused");
        fs::write(base.join("file"), "").unwrap();
        symlink("loop", base.join("loop")).unwrap();
        symlink("nowhere", base.join("dangling")).unwrap();
        for (name, errno) in [("file", "ENOTDIR"), ("file/x", "ENOTDIR"), ("loop", "ELOOP"), ("dangling", "ENOENT")] {
            let error = open_directory(&base.join(name)).unwrap_err().to_string();
            assert!(error.starts_with(errno), "{name}: {error}");
        }
        fs::remove_dir_all(base).unwrap();
    }

    #[test]
    fn directories_are_made_where_they_are_missing() {
        let base = scratch("made");
        let made = make_directory(&base.join("a/b/c")).unwrap();
        assert_eq!(place_of(&made), fs::canonicalize(base.join("a/b/c")).unwrap());
        fs::remove_dir_all(base).unwrap();
    }
}
