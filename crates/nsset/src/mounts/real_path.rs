//! Where paths lead to, as the calling thread sees the file system.

use std::path::{Path, PathBuf};

use nix::errno::Errno;

use crate::error::{Result, SystemError, last_errno};

/// The path without symbolic links, `.` and `..`: realpath(3). `None` if it does not exist.
///
/// ```no_run
/// assert_eq!(nsset::real_path("/proc/../usr".as_ref())?, Some("/usr".into()));
/// # Ok::<(), nsset::Error>(())
/// ```
///
/// # Errors
/// [`Error::System`](crate::Error::System) with any other error of realpath(3), such as `ELOOP`, or `EACCES` if
/// the caller may not search a directory of it.
pub fn real_path(path: &Path) -> Result<Option<PathBuf>> {
    match path.canonicalize() {
        Ok(real) => Ok(Some(real)),
        Err(error) => match last_errno(&error) {
            Errno::ENOENT | Errno::ENOTDIR => Ok(None),
            errno => Err(SystemError::new(errno, "realpath").path(path).into()),
        },
    }
}
