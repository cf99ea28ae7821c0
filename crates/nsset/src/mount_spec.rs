//! The mounts that a new mount namespace starts with.

use std::path::{Path, PathBuf};

use crate::{error::Result, program::Program};

/// How mounts travel between the new mount namespace and the one it was copied from: mount_namespaces(7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Propagation {
    #[default]
    Private,
    Slave,
    Shared,
    Unchanged,
}

impl Propagation {
    /// The flags for mount(2), if there is something to change.
    const fn flags(self) -> Option<u64> {
        match self {
            Self::Private => Some(libc::MS_REC | libc::MS_PRIVATE),
            Self::Slave => Some(libc::MS_REC | libc::MS_SLAVE),
            Self::Shared => Some(libc::MS_REC | libc::MS_SHARED),
            Self::Unchanged => None,
        }
    }
}

/// What is mounted.
#[derive(Clone, Debug)]
pub enum MountKind {
    Bind { source: PathBuf, recursive: bool },
    FileSystem { name: String, source: Option<String>, options: Vec<(String, String)> },
}

/// One mount of the list.
#[derive(Clone, Debug)]
pub struct MountSpec {
    pub kind: MountKind,
    pub target: PathBuf,
    pub read_only: bool,
    pub no_suid: bool,
    pub no_dev: bool,
    pub no_exec: bool,
}

impl MountSpec {
    /// `MOUNT_ATTR_*` of mount_setattr(2).
    const fn attributes(&self) -> u64 {
        (self.read_only as u64) | (self.no_suid as u64) << 1 | (self.no_dev as u64) << 2 | (self.no_exec as u64) << 3
    }

    fn write(&self, program: &mut Program<'_>) -> Result<()> {
        match &self.kind {
            MountKind::Bind { source, recursive } => program.bind(source, &self.target, self.attributes(), *recursive),
            MountKind::FileSystem { name, source, options } => {
                program.mount(name, source.as_deref().unwrap_or(name), &self.target, self.attributes(), options)
            }
        }
    }
}

/// Writes the steps that set up a new mount namespace, in the order of `mounts`.
pub fn furnish(program: &mut Program<'_>, root: Option<&Path>, mounts: &[MountSpec]) -> Result<()> {
    if let Some(root) = root {
        program.root(root)?;
    }
    for mount in mounts {
        mount.write(program)?;
    }
    if let Some(root) = root {
        program.pivot(root);
    }
    Ok(())
}

/// Writes the step that sets the propagation, before anything is mounted.
pub fn propagate(program: &mut Program<'_>, propagation: Propagation) {
    if let Some(flags) = propagation.flags() {
        program.propagation(flags);
    }
}
