//! The view of a named network for one program: its own sysfs on /sys, and its own files over those in /etc, in a mount
//! namespace for that program alone (ip-netns(8), "exec").

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use nix::errno::Errno;

use crate::{
    error::{Result, SystemError, last_errno},
    helper::program::Program,
    proc,
};

/// The directory in which iproute2 has one directory of files per network name.
const FILES: &str = "/etc/netns";

/// The view of a network with this name.
#[derive(Clone, Debug)]
pub struct NamedView {
    pub name: String,
    /// Whether it is an error if the kernel refuses a part of it.
    pub is_required: bool,
}

impl NamedView {
    /// Writes the steps, for a helper that has joined the network.
    pub fn write(&self, program: &mut Program<'_>) -> Result<()> {
        let files = self.files()?;
        program.hold_proc(proc::hold()?);
        program.own_mounts(self.is_required);
        program.sysfs(self.is_required);
        for file in files {
            let target = Path::new("/etc").join(file.file_name().unwrap_or_default());
            program.cover(&file, &target, self.is_required)?;
        }
        Ok(())
    }

    /// The files of this name, sorted; none if there is no such directory.
    fn files(&self) -> Result<Vec<PathBuf>> {
        let directory = Path::new(FILES).join(&self.name);
        let entries = match fs::read_dir(&directory) {
            Err(error) if matches!(last_errno(&error), Errno::ENOENT | Errno::ENOTDIR) => return Ok(Vec::new()),
            Err(error) if !self.is_required && error.kind() == io::ErrorKind::PermissionDenied => return Ok(Vec::new()),
            other => other,
        };
        let entries = entries.and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect());
        let mut files: Vec<PathBuf> =
            entries.map_err(|error| SystemError::new(last_errno(&error), "opendir").path(&directory))?;
        files.sort();
        Ok(files)
    }
}
