//! The view of the file system with which a new mount namespace starts: its root directory and its mounts, in order.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::{
    error::Result,
    helper::program::Program,
    mounts::mount_spec::{MountSpec, Surroundings, Tmpfs},
    plain,
};

/// How mounts propagate between the new mount namespace and the one that it was copied from: mount_namespaces(7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Propagation {
    #[default]
    Private,
    Slave,
    Shared,
    Unchanged,
}

impl Propagation {
    /// The flags for mount(2); `None` for no change.
    const fn flags(self) -> Option<u64> {
        match self {
            Self::Private => Some(libc::MS_REC | libc::MS_PRIVATE),
            Self::Slave => Some(libc::MS_REC | libc::MS_SLAVE),
            Self::Shared => Some(libc::MS_REC | libc::MS_SHARED),
            Self::Unchanged => None,
        }
    }

    /// Whether no mount of the new mount namespace propagates to another one.
    pub const fn is_private(self) -> bool {
        matches!(self, Self::Private | Self::Slave)
    }
}

/// Whether a sysfs of the network of the new namespaces is required.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sysfs {
    /// It is mounted if the kernel allows it, and only over another sysfs.
    Possible,
    Required,
}

/// The root directory of a new mount namespace: at most one of both.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Root {
    #[serde(deserialize_with = "plain::optional_path")]
    pub directory: Option<PathBuf>,
    pub tmpfs: Option<Tmpfs>,
}

impl Root {
    fn begin(&self, program: &mut Program<'_>) -> Result<()> {
        match (&self.directory, &self.tmpfs) {
            (Some(directory), _) => program.root(directory),
            (None, Some(tmpfs)) => program.root_tmpfs(&tmpfs.options()),
            (None, None) => Ok(()),
        }
    }

    fn finish(&self, program: &mut Program<'_>) {
        match (&self.directory, &self.tmpfs) {
            (Some(directory), _) => program.pivot(directory),
            (None, Some(tmpfs)) => {
                if tmpfs.read_only {
                    program.root_read_only();
                }
                program.pivot(Path::new("/"));
            }
            (None, None) => {}
        }
    }
}

/// Writes the steps that set up a new mount namespace, in the order of `mounts`, and then mounts a sysfs of the network
/// if that is wanted. The sysfs comes last, so that it covers one that shows another network.
pub fn set_up(
    program: &mut Program<'_>,
    root: Option<&Root>,
    mounts: &[MountSpec],
    around: &Surroundings,
    sysfs: Option<Sysfs>,
) -> Result<()> {
    let makes_files = root.is_some_and(|root| root.tmpfs.is_some()) || mounts.iter().any(MountSpec::makes_files);
    if makes_files && !around.is_caller_mapped {
        // A file cannot belong to a user whom its file system does not know. From here on, sources are opened as the other
        // user, too.
        program.mapped_ids();
    }
    if let Some(root) = root {
        root.begin(program)?;
    }
    let mut offset = 0;
    let mut trees = around.mapped_trees.iter().copied();
    for mount in mounts {
        let tree = mount.id_map.as_ref().and_then(|_| trees.next());
        mount.write(offset, tree, around, program)?;
        offset += mount.content.len() as u64;
    }
    if around.awaits_network {
        program.take_network();
    }
    if let Some(sysfs) = sysfs {
        program.sysfs(sysfs == Sysfs::Required);
    }
    if let Some(root) = root {
        root.finish(program);
    }
    Ok(())
}

/// Writes the step that sets the propagation, before anything is mounted.
pub fn propagate(program: &mut Program<'_>, propagation: Propagation) {
    if let Some(flags) = propagation.flags() {
        program.propagation(flags);
    }
}
