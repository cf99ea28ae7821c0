//! The initial mounts of a new mount namespace.

use std::path::{Component, Path, PathBuf};

use serde::Deserialize;

use crate::{error::Result, helper::program::Program, plain};

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
}

/// Whether a sysfs of the network of the new namespaces is required.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sysfs {
    /// It is mounted if the kernel allows it, and only over another sysfs.
    Possible,
    Required,
}

/// One mount of the list.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct MountSpec {
    /// `bind`, or the type of a new file system.
    #[serde(rename = "type")]
    pub kind: String,
    /// The file or directory of a bind mount; the device name of a new file system, by default its type.
    #[serde(deserialize_with = "plain::optional_path")]
    pub source: Option<PathBuf>,
    #[serde(deserialize_with = "plain::path")]
    pub target: PathBuf,
    /// Whether a bind mount includes the mounts below its source. Default: yes.
    pub recursive: Option<bool>,
    pub read_only: bool,
    pub no_suid: bool,
    pub no_dev: bool,
    pub no_exec: bool,
    /// The options of a new file system; those without a value are flags.
    pub options: Vec<(String, String)>,
}

impl MountSpec {
    /// `MOUNT_ATTR_*` of mount_setattr(2).
    const fn attributes(&self) -> u64 {
        (self.read_only as u64) | (self.no_suid as u64) << 1 | (self.no_dev as u64) << 2 | (self.no_exec as u64) << 3
    }

    fn write(&self, program: &mut Program<'_>) -> Result<()> {
        let source = self.source.as_deref().unwrap_or(Path::new(&self.kind));
        if self.kind == "bind" {
            return program.bind(source, &self.target, self.attributes(), self.recursive.unwrap_or(true));
        }
        program.mount(&self.kind, source, &self.target, self.attributes(), &self.options)
    }
}

/// Whether one of the mounts has this directory as its target, as the path is written.
pub fn covers(mounts: &[MountSpec], directory: &str) -> bool {
    mounts.iter().any(|mount| without_detours(&mount.target) == Path::new(directory))
}

/// The path without `.`, `..` and double slashes.
fn without_detours(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::from("/"), |mut shortened, component| {
        match component {
            Component::Normal(name) => shortened.push(name),
            Component::ParentDir => drop(shortened.pop()),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
        shortened
    })
}

/// Writes the steps that set up a new mount namespace, in the order of `mounts`, and then mounts a sysfs of the network
/// if that is wanted. The sysfs comes last, so that it covers one that shows another network.
pub fn set_up(
    program: &mut Program<'_>,
    root: Option<&Path>,
    mounts: &[MountSpec],
    sysfs: Option<Sysfs>,
) -> Result<()> {
    if let Some(root) = root {
        program.root(root)?;
    }
    for mount in mounts {
        mount.write(program)?;
    }
    if let Some(sysfs) = sysfs {
        program.sysfs(sysfs == Sysfs::Required);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_covered_however_its_path_is_written() {
        let on = |target: &str| MountSpec { kind: "bind".into(), target: target.into(), ..MountSpec::default() };
        for target in ["/sys", "//sys/", "/./sys/.", "/usr/../sys", "sys"] {
            assert!(covers(&[on("/tmp"), on(target)], "/sys"), "{target}");
        }
        assert!(!covers(&[on("/"), on("/sys/kernel"), on("/system"), on("/tmp/sys")], "/sys"));
    }
}
